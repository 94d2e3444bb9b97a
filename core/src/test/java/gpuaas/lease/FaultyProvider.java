package gpuaas.lease;

import gpuaas.sim.SimProvider;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.NullMarked;

/** A provider behind a bad network: slow, refusing, and losing replies. */
@NullMarked
final class FaultyProvider implements Provider {

  private static final Duration CALL = Duration.ofSeconds(3);

  private final SimProvider inner;
  private final Faults faults;
  private final Stage stage;
  private final Map<String, Instant> lastLook = new HashMap<>();

  FaultyProvider(SimProvider inner, Faults faults, Stage stage) {
    this.inner = inner;
    this.faults = faults;
    this.stage = stage;
  }

  /** When this actor last had an answer to its list. */
  Instant lastLookBy(String actor) {
    return lastLook.getOrDefault(actor, Instant.MIN);
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    return call("offers", () -> inner.offers(query));
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    if (faults.chance(0.1)) {
      throw new ProviderException.NoCapacity("by script");
    }
    return call("create", () -> inner.create(request));
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    return call("inspect", () -> inner.inspect(instance));
  }

  @Override
  public void destroy(InstanceRef instance) {
    call(
        "destroy",
        () -> {
          inner.destroy(instance);
          return true;
        });
  }

  @Override
  public List<Owned> list(String deployment) {
    return call(
        "list",
        () -> {
          lastLook.put(stage.current(), stage.instant());
          return inner.list(deployment);
        });
  }

  private <T> T call(String what, Supplier<T> effect) {
    faults.moment("before " + what, CALL);
    if (faults.chance(0.02)) {
      throw new ProviderException.Unavailable("by script", null);
    }
    T answer = effect.get();
    faults.moment("after " + what, CALL);
    if (faults.chance(0.03)) {
      throw new ProviderException.OutcomeUnknown("reply lost, by script", null);
    }
    return answer;
  }

  @Override
  public void close() {}
}
