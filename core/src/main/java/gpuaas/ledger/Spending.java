package gpuaas.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.ToLongFunction;

/**
 * Something that running leases use up: the funds of a tenant, or a budget. Pure.
 *
 * @param what for people: {@code the funds}
 * @param left millionths of money, or seconds of GPUs; below zero: overdrawn
 * @param usedPercent how much is used up; 0 when there is no whole
 * @param unit how much of it a lease uses in an hour
 * @param newestFirst the running leases
 */
public record Spending(
    String what,
    long left,
    int usedPercent,
    ToLongFunction<Running> unit,
    List<Running> newestFirst) {

  private static final int SECONDS_OF_HOUR = 3600;

  public Spending {
    newestFirst = List.copyOf(newestFirst);
  }

  /**
   * A running lease.
   *
   * @param warned how urgently its owner was told last: 0 never
   */
  public record Running(UUID lease, int gpuCount, long pricePerHourMicros, int warned) {}

  /**
   * What to do.
   *
   * @param stop these end now, in this order
   * @param warn these are told, as urgently as {@code level} says
   * @param secondsLeft how long it lasts for those that go on
   */
  public record Verdict(List<UUID> stop, List<UUID> warn, int level, long secondsLeft) {
    public Verdict {
      stop = List.copyOf(stop);
      warn = List.copyOf(warn);
    }
  }

  /**
   * The newest are stopped until what is left lasts long enough for the others: nothing is spent
   * that is not there, and who came first goes on longest.
   */
  public Verdict verdict(LedgerRules rules) {
    List<UUID> stop = new ArrayList<>();
    List<Running> kept = new ArrayList<>(newestFirst);
    kept.removeIf(lease -> unit.applyAsLong(lease) == 0);
    while (!kept.isEmpty() && secondsLeft(kept) < rules.stopAhead().toSeconds()) {
      stop.add(kept.removeFirst().lease());
    }
    if (kept.isEmpty()) {
      return new Verdict(stop, List.of(), 0, 0);
    }
    long seconds = secondsLeft(kept);
    int level = 0;
    if (usedPercent >= rules.lastWarnPercent() || seconds < rules.lastWarnAhead().toSeconds()) {
      level = 2;
    } else if (usedPercent >= rules.warnPercent() || seconds < rules.warnAhead().toSeconds()) {
      level = 1;
    }
    int urgency = level;
    List<UUID> warn =
        kept.stream().filter(lease -> lease.warned() < urgency).map(Running::lease).toList();
    return new Verdict(stop, warn, level, seconds);
  }

  private long secondsLeft(List<Running> kept) {
    long perHour = kept.stream().mapToLong(unit).sum();
    return left <= 0 ? 0 : (long) ((double) left / perHour * SECONDS_OF_HOUR);
  }
}
