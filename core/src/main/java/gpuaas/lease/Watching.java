package gpuaas.lease;

import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseSignal.Warned;
import gpuaas.lease.LeaseSignal.Warning;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState.Running;
import gpuaas.provider.Idleness;
import gpuaas.provider.Idleness.Verdict;
import gpuaas.provider.Providers;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The step of a running lease: still there? Then the time until now may be written down as used. A
 * provider that cannot be asked says nothing about the instance. Also warns before its end, and
 * ends it when nobody uses it. For how long nobody did is known to this server alone, in memory:
 * when it starts again, so does that time.
 */
final class Watching {

  private static final String NOTICE =
      "mkdir -p /run/gpuaas 2>/dev/null;"
          + " echo \"$2\" > \"/run/gpuaas/$1-notice\" || echo \"$2\" > \"$1-notice\"";

  /** Looks that are further apart than this many pauses leave something unseen between them. */
  private static final int PAUSES_MOST = 3;

  private final Providers providers;
  private final Signals signals;
  private final LeaseRules rules;
  private final Function<UUID, Optional<Instant>> lastTraffic;
  private final ConcurrentMap<UUID, Idleness> idleness = new ConcurrentHashMap<>();

  Watching(
      Providers providers,
      Signals signals,
      LeaseRules rules,
      Function<UUID, Optional<Instant>> lastTraffic) {
    this.providers = providers;
    this.signals = signals;
    this.rules = rules;
    this.lastTraffic = lastTraffic;
  }

  Next step(Lease lease, Running r) {
    Instant askedAt = signals.now();
    lease
        .history()
        .reclaimAt()
        .ifPresent(at -> leaveNotice(r, "reclaim", "This spot environment is taken back at " + at));
    Optional<Instant> endWarning = endWarning(lease);
    if (endWarning.isPresent() && !askedAt.isBefore(endWarning.get())) {
      warnOfEnd(lease, r, lease.expires().orElseThrow());
      return Next.now();
    }
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
    Optional<Guards.Idle> idle = lease.spec().guards().idle();
    if (idle.isPresent() && lookWhetherIdle(lease, r, idle.get())) {
      return Next.now();
    }
    if (!askedAt.isBefore(r.meteredTo().plus(rules.meterEvery()))) {
      signals.apply(lease, new Metered());
    }
    return pause(lease, askedAt);
  }

  /** When to warn of its end; empty when it has none, or the warning was given. */
  private Optional<Instant> endWarning(Lease lease) {
    if (lease.history().told().contains(Warning.ENDING_SOON)) {
      return Optional.empty();
    }
    Duration tenth =
        lease.spec().term().map(term -> term.dividedBy(10)).orElse(rules.endWarnBefore());
    return lease.expires().map(end -> end.minus(shorter(tenth, rules.endWarnBefore())));
  }

  private void warnOfEnd(Lease lease, Running r, Instant end) {
    if (signals.apply(lease, new Warned(Warning.ENDING_SOON, Map.of("at", end.toString())))) {
      leaveNotice(r, "end", "This environment ends at " + end);
    }
  }

  /** True: something was written, and the lease is to be looked at afresh. */
  private boolean lookWhetherIdle(Lease lease, Running r, Guards.Idle idle) {
    Instant now = signals.now();
    Idleness before = idleness.get(lease.id());
    if (before == null) {
      Instant longAgo = now.minus(pauseMost().multipliedBy(PAUSES_MOST));
      idleness.values().removeIf(other -> other.lookedAt().isBefore(longAgo));
      before = Idleness.begin(now);
    } else if (Duration.between(before.lookedAt(), now)
            .abs()
            .multipliedBy(2)
            .compareTo(rules.watchEvery())
        < 0) {
      return false; // too short a time to tell how busy it was
    }
    Optional<Utilization> utilization;
    try {
      utilization = providers.utilization(r.instance());
    } catch (ProviderException couldNotAsk) {
      return false;
    }
    Idleness.Look look = new Idleness.Look(now, lastTraffic.apply(lease.id()), utilization);
    Idleness.Step step = before.look(look, rule(idle));
    boolean written =
        switch (step.verdict()) {
          case Verdict.Wait _ -> false;
          case Verdict.Warn warn -> warnOfIdleness(lease, r, warn);
          case Verdict.Stop _ -> signals.apply(lease, new StopAsked(EndReason.IDLE));
          case Verdict.Unknown unknown ->
              !lease.history().told().contains(Warning.IDLE_UNKNOWN)
                  && signals.apply(
                      lease, new Warned(Warning.IDLE_UNKNOWN, Map.of("unknown", unknown.what())));
        };
    if (written || !(step.verdict() instanceof Verdict.Warn)) {
      idleness.put(lease.id(), step.after()); // who was not warned is not stopped
    }
    return written;
  }

  private boolean warnOfIdleness(Lease lease, Running r, Verdict.Warn warn) {
    Map<String, String> details =
        Map.of("since", warn.since().toString(), "at", warn.stopAt().toString());
    boolean written = signals.apply(lease, new Warned(Warning.IDLE, details));
    if (written) {
      leaveNotice(
          r,
          "idle",
          "Not used since " + warn.since() + ": ends at " + warn.stopAt() + " unless it is used");
    }
    return written;
  }

  private Idleness.Rule rule(Guards.Idle idle) {
    Duration warnBefore = shorter(rules.idleWarnBefore(), idle.after().dividedBy(2));
    return new Idleness.Rule(idle.after(), idle.cpuPercentBelow(), warnBefore, pauseMost());
  }

  private Duration pauseMost() {
    return rules.watchEvery().multipliedBy(PAUSES_MOST);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /** Best effort, beside the event: whoever is inside can save what matters. */
  private void leaveNotice(Running r, String kind, String text) {
    providers
        .ability(r.instance(), HasExec.class)
        .ifPresent(exec -> {
          var _ =
              Thread.ofVirtual()
                  .name(kind + "-notice")
                  .start(() -> leaveNotice(exec, r, kind, text));
        });
  }

  private static void leaveNotice(HasExec exec, Running r, String kind, String text) {
    List<String> command = List.of("sh", "-c", NOTICE, "notice", kind, text);
    ExecRequest request = new ExecRequest(command, Optional.empty(), Map.of());
    try (ExecChannel channel = exec.exec(r.instance(), request)) {
      channel.input().close();
      var _ = channel.waitFor();
    } catch (ProviderException | IOException e) {
      // It has been told by the event.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Until the next look, or until its end or the warning of it if that is sooner. */
  private Next pause(Lease lease, Instant now) {
    Duration untilEnd =
        Stream.of(lease.expires(), endWarning(lease), lease.history().reclaimAt())
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
