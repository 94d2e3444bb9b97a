package gpuaas.lease;

import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseSignal.Created;
import gpuaas.lease.LeaseSignal.Decline;
import gpuaas.lease.LeaseSignal.Declined;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.provider.Providers;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The step of a lease whose provider was asked by somebody who has not written what came of it:
 * look for the tag, and never ask again. Nothing seen for the settling time counts as a no.
 */
final class Finding {

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  private final Providers providers;
  private final Signals signals;
  private final String deployment;
  private final LeaseRules rules;

  Finding(Providers providers, Signals signals, String deployment, LeaseRules rules) {
    this.providers = providers;
    this.signals = signals;
    this.deployment = deployment;
    this.rules = rules;
  }

  Next step(Lease lease, Provisioning p) {
    Instant lookedAt = signals.now();
    Optional<Owned> found;
    try {
      found = find(new OwnerTag(deployment, lease.id(), p.attempt()), p);
    } catch (ProviderException couldNotAsk) {
      return Next.after(LOOK_AGAIN);
    }
    if (found.isPresent()) {
      return signals.goOn(lease, new Created(p.attempt(), found.get().instance()));
    }
    if (lookedAt.isBefore(p.since().plus(rules.settle()))) {
      return Next.after(LOOK_AGAIN);
    }
    return signals.goOn(lease, new Declined(p.attempt(), Decline.NEVER_SEEN));
  }

  private Optional<Owned> find(OwnerTag tag, Provisioning p) {
    return providers.get(p.place().offer().provider()).list(deployment).stream()
        .filter(owned -> owned.tag().equals(tag))
        .findFirst();
  }
}
