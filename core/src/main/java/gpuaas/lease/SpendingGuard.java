package gpuaas.lease;

import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.Spending;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;

/**
 * Looks at what running leases use up, budgets and prepaid funds: tells their owners in good time,
 * and then stops leases in order. May run anywhere at once.
 */
public final class SpendingGuard {

  private final Database database;
  private final LeaseStore store;
  private final Budgets budgets;
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
    this.money = money;
    this.rules = rules;
    this.clock = clock;
  }

  /** One look at everything. */
  public void look() {
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
