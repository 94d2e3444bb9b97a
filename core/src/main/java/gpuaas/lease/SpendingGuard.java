package gpuaas.lease;

import gpuaas.command.Notices;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.BudgetAlerts;
import gpuaas.ledger.BudgetAlerts.Alert;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.Spending;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Looks at what running leases use up, budgets and prepaid funds: tells their owners in good time,
 * and then stops leases in order. May run anywhere at once.
 */
public final class SpendingGuard {

  private static final String NOTICE = "funds";

  private final Database database;
  private final LeaseStore store;
  private final Budgets budgets;
  private final Notices notices;
  private final BudgetAlerts alerts;
  private final LedgerRules money;
  private final LeaseRules rules;
  private final InstantSource clock;

  SpendingGuard(
      Database database,
      LeaseStore store,
      Budgets budgets,
      Providers providers,
      LedgerRules money,
      LeaseRules rules,
      InstantSource clock) {
    this.database = database;
    this.store = store;
    this.budgets = budgets;
    this.notices = new Notices(providers);
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
    Map<UUID, Integer> levels = new HashMap<>();
    List<Spending> all = budgets.spending();
    for (Spending spending : all) {
      Spending.Verdict verdict = spending.verdict(money);
      spending
          .newestFirst()
          .forEach(lease -> levels.merge(lease.lease(), verdict.level(), Math::max));
      verdict.stop().forEach(this::stop);
      verdict
          .warn()
          .forEach(lease ->
              warn(
                  lease,
                  verdict.level(),
                  new LeaseSignal.FundsLow(spending.what(), verdict.secondsLeft())));
    }
    all.stream()
        .flatMap(spending -> spending.newestFirst().stream())
        .filter(lease -> lease.warned() > 0 && levels.getOrDefault(lease.lease(), 0) == 0)
        .map(Spending.Running::lease)
        .distinct()
        .forEach(this::ease);
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
        String text =
            "What pays for this environment, %s, lasts %d more minutes: it is stopped then"
                .formatted(low.what(), Math.ceilDiv(low.secondsLeft(), 60));
        inside(tx, lease, instance -> notices.leave(instance, NOTICE, text));
      }
    });
  }

  /**
   * There is enough again: nobody need save what they have, and who runs low again is told anew.
   */
  private void ease(UUID lease) {
    database.run(tx -> {
      LeaseStore.lock(tx, lease);
      budgets.warned(tx, lease, 0);
      inside(tx, lease, instance -> notices.clear(instance, NOTICE));
    });
  }

  private static void inside(Tx tx, UUID lease, Consumer<InstanceRef> work) {
    LeaseStore.find(tx, lease)
        .map(Lease::state)
        .filter(LeaseState.Running.class::isInstance)
        .map(state -> ((LeaseState.Running) state).instance())
        .ifPresent(instance -> tx.afterCommit(() -> work.accept(instance)));
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
