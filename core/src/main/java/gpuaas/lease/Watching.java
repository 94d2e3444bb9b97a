package gpuaas.lease;

import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseState.Running;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The step of a running lease: still there? Then the time until now may be written down as used. A
 * provider that cannot be asked says nothing about the instance.
 */
final class Watching {

  private final Providers providers;
  private final Signals signals;
  private final LeaseRules rules;

  Watching(Providers providers, Signals signals, LeaseRules rules) {
    this.providers = providers;
    this.signals = signals;
    this.rules = rules;
  }

  Next step(Lease lease, Running r) {
    Instant askedAt = signals.now();
    Optional<InstanceStatus> status;
    try {
      status = providers.get(r.instance().provider()).inspect(r.instance());
    } catch (ProviderException couldNotAsk) {
      return pause(lease, askedAt);
    }
    boolean usable = status.isPresent() && !(status.get() instanceof InstanceStatus.Failed);
    if (!usable) {
      signals.apply(lease, new Gone());
      return Next.now();
    }
    if (!askedAt.isBefore(r.meteredTo().plus(rules.meterEvery()))) {
      signals.apply(lease, new Metered());
    }
    return pause(lease, askedAt);
  }

  /** Until the next look, or until its end if that is sooner. */
  private Next pause(Lease lease, Instant now) {
    Duration untilEnd =
        lease.expires().map(end -> Duration.between(now, end)).orElse(rules.watchEvery());
    if (untilEnd.isNegative()) {
      return Next.now();
    }
    return Next.after(untilEnd.compareTo(rules.watchEvery()) < 0 ? untilEnd : rules.watchEvery());
  }
}
