package gpuaas.lease;

import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseState.Running;
import gpuaas.provider.Providers;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The step of a running lease: still there? Then the time until now may be written down as used. A
 * provider that cannot be asked says nothing about the instance.
 */
final class Watching {

  private static final String NOTICE =
      "text=\"This spot environment is taken back at $1\"; mkdir -p /run/gpuaas 2>/dev/null;"
          + " echo \"$text\" > /run/gpuaas/reclaim-notice || echo \"$text\" > reclaim-notice";

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
    lease.history().reclaimAt().ifPresent(at -> leaveNotice(r, at));
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

  /** Best effort, beside the event: whoever is inside can save what matters. */
  private void leaveNotice(Running r, Instant at) {
    providers
        .ability(r.instance(), HasExec.class)
        .ifPresent(exec -> {
          var _ = Thread.ofVirtual().name("reclaim-notice").start(() -> leaveNotice(exec, r, at));
        });
  }

  private static void leaveNotice(HasExec exec, Running r, Instant at) {
    List<String> command = List.of("sh", "-c", NOTICE, "notice", at.toString());
    ExecRequest request = new ExecRequest(command, Optional.empty(), Map.of());
    try (ExecChannel channel = exec.exec(r.instance(), request)) {
      channel.input().close();
      var _ = channel.waitFor();
    } catch (ProviderException | IOException e) {
      // It has been told by the event; the next look tries again.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Until the next look, or until its end if that is sooner. */
  private Next pause(Lease lease, Instant now) {
    Duration untilEnd =
        Stream.of(lease.expires(), lease.history().reclaimAt())
            .flatMap(Optional::stream)
            .map(end -> Duration.between(now, end))
            .min(Duration::compareTo)
            .orElse(rules.watchEvery());
    if (untilEnd.isNegative()) {
      return Next.now();
    }
    return Next.after(untilEnd.compareTo(rules.watchEvery()) < 0 ? untilEnd : rules.watchEvery());
  }
}
