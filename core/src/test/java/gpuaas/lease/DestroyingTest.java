package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.archive.TestArchives;
import gpuaas.command.TestCommands;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import gpuaas.work.Next;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DestroyingTest {

  private static final LeaseRules RULES = LeaseRules.standard();
  private static final String DEPLOYMENT = "test";

  private final TestClock clock = new TestClock();
  private final SimProvider good = new SimProvider("good", clock, SimScript::prompt, 1, 8);
  private final List<Change> written = new ArrayList<>();

  private static ProviderException away() {
    return new ProviderException.Unavailable(
        "the market is down", new java.io.IOException("by script"));
  }

  /** A market that answers nobody. */
  private static final class Down implements Provider {
    @Override
    public List<Offer> offers(OfferQuery query) {
      throw away();
    }

    @Override
    public InstanceRef create(InstanceRequest request) {
      throw away();
    }

    @Override
    public Optional<InstanceStatus> inspect(InstanceRef instance) {
      throw away();
    }

    @Override
    public void destroy(InstanceRef instance) {
      throw away();
    }

    @Override
    public List<Owned> list(String deployment) {
      throw away();
    }

    @Override
    public void close() {}
  }

  private final class Book implements LeaseBook {
    @Override
    public Optional<Lease> find(UUID lease) {
      throw new AssertionError("is not asked");
    }

    @Override
    public Turn place(Lease waiting, Instant now) {
      throw new AssertionError("is not asked");
    }

    @Override
    public boolean write(Change change) {
      written.add(change);
      return true;
    }

    @Override
    public boolean isKeptNow(Lease lease) {
      return false;
    }

    @Override
    public List<String> authorizedKeys(Lease lease) {
      throw new AssertionError("is not asked");
    }
  }

  private void step(Optional<InstanceRef> instance, int attempt) {
    Instant since = clock.instant().minusSeconds(600);
    Stopping stopping = new Stopping(instance, attempt, EndReason.ASKED, since, since);
    Providers providers = new Providers(Map.of("a-market", new Down(), "good", good));
    new Destroying(
            providers,
            TestArchives.none(),
            TestCommands.none(),
            new LeaseBook.Signals(new Book(), clock, RULES, _ -> Next.now()),
            DEPLOYMENT,
            RULES)
        .step(LeaseTest.lease(stopping), stopping);
  }

  private InstanceRef rented() {
    UUID lease = LeaseTest.lease(new LeaseState.Waiting(0)).id();
    return good.create(
        new InstanceRequest(
            new OwnerTag(DEPLOYMENT, lease, 1),
            good.offers(OfferQuery.all()).getFirst(),
            "node-0",
            List.of("gpu-0"),
            "",
            List.of(),
            Map.of(),
            "lease"));
  }

  @Test
  void aMarketThatIsDownHoldsUpNobodyWhoNeverTriedIt() {
    // Shows that a lease whose first try is all there was ends without asking others.
    step(Optional.of(rented()), 1);
    assertThat(good.living()).isEmpty();
    assertThat(written)
        .singleElement()
        .extracting(change -> change.after().state())
        .isInstanceOf(Ended.class);
  }

  @Test
  void whatMayBeLeftAtOneThatIsDownIsWaitedFor() {
    // Shows that after a second try, and when nothing is known, everybody has to answer; what can
    // be destroyed is destroyed meanwhile.
    step(Optional.of(rented()), 2);
    assertThat(good.living()).isEmpty();
    rented();
    step(Optional.empty(), 1);
    assertThat(good.living()).isEmpty();
    assertThat(written)
        .allSatisfy(change -> assertThat(change.after().state()).isInstanceOf(Stopping.class))
        .extracting(change -> change.after().history().trouble().stuck())
        .as("that it takes too long is told, with the reason")
        .contains("a-market does not confirm it: the market is down");
  }
}
