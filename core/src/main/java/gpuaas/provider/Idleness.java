package gpuaas.provider;

import gpuaas.spi.HasUtilization.Utilization;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * For how long nobody has used an instance, as far as looks at it can tell. Pure: each look leads
 * to the next of these. What nobody saw counts as use: with the first look, and after a pause in
 * which nobody looked, the time starts anew.
 *
 * @param lookedAt the last look
 * @param processorTime at the last look; empty: the next look cannot compare
 * @param since when it was last in use
 * @param stopAt when it will be stopped; empty: nobody was warned
 */
public record Idleness(
    Instant lookedAt, Optional<Duration> processorTime, Instant since, Optional<Instant> stopAt) {

  /**
   * What counts as idle.
   *
   * @param after how long it may be
   * @param cpuPercentBelow of all its processors together; from there on it is in use
   * @param warnBefore how long before it is stopped its user is told
   * @param pauseMost how long apart two looks may be that belong together
   */
  public record Rule(
      Duration after, int cpuPercentBelow, Duration warnBefore, Duration pauseMost) {}

  /**
   * What is seen at one time.
   *
   * @param traffic when anything last went in or out by SSH or terminal
   * @param utilization empty when its provider cannot tell
   */
  public record Look(Instant at, Optional<Instant> traffic, Optional<Utilization> utilization) {}

  /** What follows from a look. */
  public sealed interface Verdict {
    /** It is in use, or not idle for long enough. */
    record Wait() implements Verdict {}

    /** Tell its user: it will be stopped at this time, unless it is used. */
    record Warn(Instant since, Instant stopAt) implements Verdict {}

    /** Nobody used it, in spite of the warning. */
    record Stop() implements Verdict {}

    /** Nothing can be concluded, as this is not known of it. */
    record Unknown(String what) implements Verdict {}
  }

  /** A verdict, and what to remember once it is carried out. */
  public record Step(Verdict verdict, Idleness after) {}

  /** Before the first look: in use until now. */
  public static Idleness begin(Instant now) {
    return new Idleness(now, Optional.empty(), now, Optional.empty());
  }

  /** What a look changes. */
  public Step look(Look look, Rule rule) {
    Optional<Duration> used = look.utilization().flatMap(Utilization::processorTime);
    Optional<Integer> gpuPercent = look.utilization().flatMap(Utilization::gpuPercent);
    if (used.isEmpty() || gpuPercent.isEmpty()) {
      String what = used.isEmpty() ? "the use of its processors" : "the use of its GPUs";
      return new Step(new Verdict.Unknown(what), begin(look.at()));
    }
    Duration pause = Duration.between(lookedAt, look.at());
    // After a warning one look cannot compare, for the sake of the notice inside; no other may not.
    boolean compares = processorTime.isPresent() || stopAt.isPresent();
    boolean unseen = !compares || pause.isNegative() || pause.compareTo(rule.pauseMost()) > 0;
    if (unseen || gpuPercent.get() > 0 || isBusy(pause, used.get(), look, rule)) {
      return waiting(new Idleness(look.at(), used, look.at(), Optional.empty()));
    }
    boolean traffic = look.traffic().filter(since::isBefore).isPresent();
    Idleness still =
        new Idleness(
            look.at(),
            used,
            traffic ? look.traffic().get() : since,
            traffic ? Optional.empty() : stopAt);
    return processorTime.isPresent() ? still.decide(rule) : waiting(still);
  }

  private boolean isBusy(Duration pause, Duration used, Look look, Rule rule) {
    if (processorTime.isEmpty()) {
      return false;
    }
    long usedNanos = used.minus(processorTime.get()).toNanos();
    double processors = look.utilization().map(Utilization::milliCpus).orElse(0) / 1000.0;
    // A counter that went back is of another life of the instance: nothing is known of this one.
    return usedNanos < 0
        || usedNanos * 100.0 >= rule.cpuPercentBelow() * processors * pause.toNanos();
  }

  private Step decide(Rule rule) {
    Instant due = since.plus(rule.after());
    if (stopAt.isPresent()) {
      return lookedAt.isBefore(stopAt.get()) ? waiting(this) : new Step(new Verdict.Stop(), this);
    }
    if (lookedAt.isBefore(due.minus(rule.warnBefore()))) {
      return waiting(this);
    }
    Instant soonest = lookedAt.plus(rule.warnBefore());
    Instant stop = due.isBefore(soonest) ? soonest : due;
    // The notice inside takes processor time of its own, which is not the user's.
    Idleness warned = new Idleness(lookedAt, Optional.empty(), since, Optional.of(stop));
    return new Step(new Verdict.Warn(since, stop), warned);
  }

  private static Step waiting(Idleness after) {
    return new Step(new Verdict.Wait(), after);
  }
}
