package gpuaas.lease;

import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The one way to tear down: destroy everything with the lease's tag at every provider, until the
 * providers agree that nothing is left, and not before it is certain that nothing can still turn
 * up.
 */
final class Destroying {

  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final Providers providers;
  private final Signals signals;
  private final String deployment;
  private final LeaseRules rules;

  Destroying(Providers providers, Signals signals, String deployment, LeaseRules rules) {
    this.providers = providers;
    this.signals = signals;
    this.deployment = deployment;
    this.rules = rules;
  }

  Next step(Lease lease, Stopping stopping) {
    Instant lookedAt = signals.now();
    boolean nothingLeft;
    try {
      nothingLeft = destroyAll(lease, stopping);
    } catch (ProviderException couldNotAsk) {
      nothingLeft = false;
    }
    if (nothingLeft && !lookedAt.isBefore(stopping.quietFrom())) {
      signals.apply(lease, new Gone());
      return Next.now();
    }
    return Next.after(pause(stopping, lookedAt));
  }

  /** True when a look after the last destroy found nothing. */
  private boolean destroyAll(Lease lease, Stopping stopping) {
    boolean nothingLeft = true;
    for (String name : namesToAsk(stopping)) {
      Provider provider = providers.get(name);
      for (InstanceRef instance : instances(provider, lease, stopping, name)) {
        provider.destroy(instance);
        nothingLeft &= provider.inspect(instance).isEmpty();
      }
    }
    return nothingLeft;
  }

  private List<String> namesToAsk(Stopping stopping) {
    List<String> names = new ArrayList<>(providers.names());
    stopping
        .instance()
        .map(InstanceRef::provider)
        .filter(name -> !names.contains(name))
        .ifPresent(names::add);
    return names;
  }

  private List<InstanceRef> instances(
      Provider provider, Lease lease, Stopping stopping, String name) {
    List<InstanceRef> instances = new ArrayList<>();
    stopping
        .instance()
        .filter(instance -> instance.provider().equals(name))
        .ifPresent(instances::add);
    for (Owned owned : provider.list(deployment)) {
      if (owned.tag().lease().equals(lease.id()) && !instances.contains(owned.instance())) {
        instances.add(owned.instance());
      }
    }
    return instances;
  }

  private Duration pause(Stopping stopping, Instant now) {
    Duration tenth = Duration.between(stopping.since(), now).dividedBy(10);
    Duration longest =
        rules.watchEvery().compareTo(LONGEST_PAUSE) < 0 ? rules.watchEvery() : LONGEST_PAUSE;
    if (tenth.compareTo(SHORTEST_PAUSE) < 0) {
      return SHORTEST_PAUSE;
    }
    return tenth.compareTo(longest) < 0 ? tenth : longest;
  }
}
