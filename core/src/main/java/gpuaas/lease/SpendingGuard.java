package gpuaas.lease;

import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.BudgetAlerts;
import gpuaas.ledger.BudgetAlerts.Alert;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.Spending;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Looks at what running leases use up, budgets and prepaid funds: tells their owners in good time,
 * and then stops leases in order. May run anywhere at once.
 */
public final class SpendingGuard {

  private final Database database;
  private final LeaseStore store;
  private final Budgets budgets;
  private final BudgetAlerts alerts;
  private final LedgerRules money;
  private final LeaseRules rules;
  private final InstantSource clock;

  SpendingGuard(
      Database database,
      LeaseStore store,
      Budgets budgets,
      LedgerRules money,
      LeaseRules rules,
      InstantSource clock) {
    this.database = database;
    this.store = store;
    this.budgets = budgets;
    this.alerts = budgets.alerts();
    this.money = money;
    this.rules = rules;
    this.clock = clock;
  }

  /** One look at everything. */
  public void look() {
    look(_ -> {});
  }

  /**
   * The same.
   *
   * @param told hears of each budget whose owner was told
   */
  public void look(Consumer<Alert> told) {
    for (Spending spending : budgets.spending()) {
      Spending.Verdict verdict = spending.verdict(money);
      verdict.stop().forEach(this::stop);
      verdict
          .warn()
          .forEach(lease ->
              warn(
                  lease,
                  verdict.level(),
                  new LeaseSignal.FundsLow(spending.what(), verdict.secondsLeft())));
    }
    alerts.due().forEach(alert -> tell(alert, told));
  }

  private void tell(Alert alert, Consumer<Alert> told) {
    LeaseSignal.Warning warning =
        switch (alert.level()) {
          case WARNING -> LeaseSignal.Warning.BUDGET_WARNING;
          case EXCEEDED -> LeaseSignal.Warning.BUDGET_EXCEEDED;
        };
    Map<String, String> details =
        Map.of(
            "what", alert.budget().title(),
            "budget", alert.budget().id().toString(),
            "used_percent", Integer.toString(alert.usedPercent()));
    database.run(tx -> {
      LeaseStore.lock(tx, alert.lease());
      Lease lease = LeaseStore.find(tx, alert.lease()).orElseThrow();
      LeaseSignal signal = new LeaseSignal.Warned(warning, details);
      if (alerts.tell(tx, alert)) {
        var _ = store.write(tx, lease.on(signal, clock.instant(), rules)); // the row is ours
        tx.afterCommit(() -> told.accept(alert));
      }
    });
  }

  private void stop(UUID lease) {
    database.run(tx -> {
      var _ = apply(tx, lease, new LeaseSignal.StopAsked(EndReason.OUT_OF_FUNDS));
    });
  }

  private void warn(UUID lease, int level, LeaseSignal.FundsLow low) {
    database.run(tx -> {
      if (apply(tx, lease, low)) {
        budgets.warned(tx, lease, level);
      }
    });
  }

  /** False: it does not run any more. */
  private boolean apply(Tx tx, UUID id, LeaseSignal signal) {
    LeaseStore.lock(tx, id);
    Optional<Lease> running =
        LeaseStore.find(tx, id).filter(lease -> lease.state() instanceof LeaseState.Running);
    return running
        .map(lease -> store.write(tx, lease.on(signal, clock.instant(), rules)))
        .orElse(false);
  }
}
