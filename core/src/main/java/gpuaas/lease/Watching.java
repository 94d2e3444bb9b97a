package gpuaas.lease;

import gpuaas.command.Notices;
import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseSignal.Troubled;
import gpuaas.lease.LeaseSignal.Warned;
import gpuaas.lease.LeaseSignal.Warning;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState.Running;
import gpuaas.provider.Idleness;
import gpuaas.provider.Idleness.Verdict;
import gpuaas.provider.Providers;
import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
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

  private static final Duration FORGET_AFTER = Duration.ofDays(1);

  /** Looks that are further apart than this many pauses leave something unseen between them. */
  private static final int PAUSES_MOST = 3;

  private final Providers providers;
  private final Signals signals;
  private final LeaseRules rules;
  private final Function<UUID, Optional<Instant>> lastTraffic;
  private final Notices notices;
  private final ConcurrentMap<UUID, Instant> warned = new ConcurrentHashMap<>();
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
    this.notices = new Notices(providers);
  }

  Next step(Lease lease, Running r) {
    Instant askedAt = signals.now();
    lease
        .history()
        .reclaimAt()
        .ifPresent(at ->
            notices.leave(r.instance(), "reclaim", "This environment is taken back at " + at));
    Optional<EndWarning> endWarning = endWarning(lease);
    if (endWarning.isPresent() && !askedAt.isBefore(endWarning.get().at())) {
      warnOfEnd(lease, r, endWarning.get(), askedAt);
      return Next.now();
    }
    takeBackWarning(lease, r);
    Optional<InstanceStatus> status;
    try {
      status = providers.get(r.instance().provider()).inspect(r.instance());
    } catch (ProviderException couldNotAsk) {
      return pause(lease, askedAt);
    }
    boolean usable = status.isPresent() && !(status.get() instanceof InstanceStatus.Failed);
    if (!usable) {
      warned.remove(lease.id());
      return signals.goOn(lease, new Gone());
    }
    if (isTroubled(lease, r, status.get())) {
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

  /** True: something new is wrong with it, or not any more, and that was written. */
  private boolean isTroubled(Lease lease, Running r, InstanceStatus status) {
    Trouble known = lease.history().trouble();
    if (status instanceof InstanceStatus.Up up && up.memoryKills() > known.memoryKills()) {
      String text = "Processes of this environment were ended: it had no memory left";
      notices.leave(r.instance(), "memory", text + " (" + signals.now() + ")");
      return signals.apply(lease, new Troubled(known.killed(up.memoryKills(), signals.now())));
    }
    List<String> lost = signals.book().lostGpus(lease);
    if (lost.equals(known.lostGpus())) {
      return false;
    }
    String text =
        lost.isEmpty()
            ? "All GPUs of this environment work again, and its time is charged again"
            : "GPUs of this environment do not work: "
                + String.join(", ", lost)
                + "; its time is not charged until they do";
    notices.leave(r.instance(), "gpu", text);
    return signals.apply(lease, new Troubled(known.lost(lost)));
  }

  /** What to say of its end next, and when. */
  private record EndWarning(Warning what, Instant at, Instant end) {}

  /** Empty when it has no end, or all was said. */
  private Optional<EndWarning> endWarning(Lease lease) {
    List<Duration> before = warnBefore(lease.spec());
    for (int i = 0; i < before.size() && lease.expires().isPresent(); i++) {
      Warning what = Warning.OF_END.get(i);
      if (!lease.history().told().contains(what)) {
        Instant end = lease.expires().get();
        return Optional.of(new EndWarning(what, end.minus(before.get(i)), end));
      }
    }
    return Optional.empty();
  }

  /** A time that is longer than all of its term says nothing. */
  private List<Duration> warnBefore(LeaseSpec spec) {
    Duration term = spec.term().orElse(Duration.ofSeconds(Long.MAX_VALUE));
    List<Duration> own =
        spec.ending().warnBefore().stream()
            .filter(before -> before.compareTo(term) < 0)
            .limit(Warning.OF_END.size())
            .toList();
    return own.isEmpty() ? List.of(shorter(term.dividedBy(10), rules.endWarnBefore())) : own;
  }

  private void warnOfEnd(Lease lease, Running r, EndWarning warning, Instant now) {
    Map<String, String> details = Map.of("at", warning.end().toString());
    if (signals.apply(lease, new Warned(warning.what(), details))) {
      long minutes = Math.ceilDiv(Duration.between(now, warning.end()).toSeconds(), 60);
      notices.leaveEnd(r.instance(), Math.max(0, minutes), warning.end());
      warned.values().removeIf(end -> end.isBefore(now.minus(FORGET_AFTER)));
      warned.put(lease.id(), warning.end());
    }
  }

  /** Of another end than the one it has now. */
  private void takeBackWarning(Lease lease, Running r) {
    Instant said = warned.get(lease.id());
    if (said != null && !lease.expires().equals(Optional.of(said))) {
      warned.remove(lease.id());
      notices.clearEnd(r.instance());
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
      notices.leave(
          r.instance(),
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

  /** Until the next look, or until its end or the warning of it if that is sooner. */
  private Next pause(Lease lease, Instant now) {
    Duration untilEnd =
        Stream.of(
                lease.closes(), endWarning(lease).map(EndWarning::at), lease.history().reclaimAt())
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
