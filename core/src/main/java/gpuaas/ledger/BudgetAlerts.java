package gpuaas.ledger;

import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.Budget.Spent;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Budgets that are nearly used up, and those that are: each is told once in a period, by the lease
 * that used it. A budget that is set to something else is told anew.
 */
public final class BudgetAlerts {

  /** Leases that ended so long ago have told what they had to. */
  private static final Duration RECENT = Duration.ofDays(1);

  private static final int PERCENT = 100;
  private static final int SECONDS_OF_HOUR = 3600;

  private final Database database;
  private final InstantSource clock;
  private final LedgerRules rules;

  BudgetAlerts(Database database, InstantSource clock, LedgerRules rules) {
    this.database = database;
    this.clock = clock;
    this.rules = rules;
  }

  /** How much is used up. */
  public enum Level {
    /** As much as the rules say. */
    WARNING,
    /** All, or so much that no lease goes on by what is left. */
    EXCEEDED
  }

  /**
   * Something to tell.
   *
   * @param periodStart of the period that it is about
   * @param lease that used the budget last
   */
  public record Alert(
      Budget budget, Level level, Instant periodStart, UUID lease, int usedPercent) {}

  /**
   * The lease that used a budget last.
   *
   * @param starved true: it was stopped because what was left did not last
   */
  record Last(UUID lease, int gpuCount, long pricePerHourMicros, boolean starved) {}

  /** What is to be told now. */
  public List<Alert> due() {
    Instant now = clock.instant();
    return database.tx(tx -> {
      List<Alert> due = new ArrayList<>();
      for (Budget budget : BudgetStore.recent(tx, now.minus(RECENT))) {
        Spent spent = BudgetStore.spent(tx, budget, now);
        Instant start = budget.period().start(now);
        Set<Level> told = BudgetStore.told(tx, budget, start);
        BudgetStore.last(tx, budget)
            .ifPresent(last -> {
              int percent = percent(budget, spent);
              if (percent >= rules.warnPercent() && !told.contains(Level.WARNING)) {
                due.add(new Alert(budget, Level.WARNING, start, last.lease(), percent));
              }
              if (isExceeded(budget, spent, last) && !told.contains(Level.EXCEEDED)) {
                due.add(new Alert(budget, Level.EXCEEDED, start, last.lease(), percent));
              }
            });
      }
      return due;
    });
  }

  /** Remembers it, in the transaction that tells it; false: it was told before. */
  public boolean tell(Tx tx, Alert alert) {
    return BudgetStore.tell(tx, alert, clock.instant());
  }

  private static int percent(Budget budget, Spent spent) {
    return Math.max(
        budget.mostMicros().map(most -> percent(spent.micros(), most)).orElse(0),
        budget.mostGpuSeconds().map(most -> percent(spent.gpuSeconds(), most)).orElse(0));
  }

  private static int percent(long used, long most) {
    if (used >= most) {
      return used > 0 ? PERCENT : 0;
    }
    return (int) ((double) used / most * PERCENT);
  }

  /** Leases are stopped a bit before all is used up, so that nothing is spent that is not there. */
  private boolean isExceeded(Budget budget, Spent spent, Last last) {
    long ahead = last.starved() ? rules.stopAhead().toSeconds() : 0;
    return budget
            .mostMicros()
            .filter(most ->
                isUsedUp(spent.micros(), most, ahead * last.pricePerHourMicros() / SECONDS_OF_HOUR))
            .isPresent()
        || budget
            .mostGpuSeconds()
            .filter(most -> isUsedUp(spent.gpuSeconds(), most, ahead * last.gpuCount()))
            .isPresent();
  }

  private static boolean isUsedUp(long used, long most, long needed) {
    return used > 0 && (used >= most || (needed > 0 && most - used <= needed));
  }
}
