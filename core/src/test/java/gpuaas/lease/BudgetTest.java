package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.events.Event;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.Budget;
import gpuaas.ledger.BudgetAlerts;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.LedgerStore;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Budgets refuse what they do not cover, and end what uses them up: told before, newest first. */
class BudgetTest {

  private static final UUID KEY = new UUID(5, 5);
  private static final Caller ADMIN = Desk.caller(Standing.PLATFORM_ADMIN);
  private static final Caller BY_KEY =
      new Caller(
          Desk.OWNER,
          "test",
          Desk.OWNER,
          Desk.OWNER,
          Standing.OWNER,
          Optional.of(new Caller.Key(KEY, Set.of(Action.LEASE_CREATE))),
          "trace-7");

  private Desk desk = new Desk(LedgerRules.standard(), 8);

  @AfterEach
  void close() {
    List<String> differences = desk.database.read(LedgerStore::differences);
    desk.close();
    assertThat(differences).isEmpty();
  }

  private void budget(
      Budget.Scope scope, UUID owner, Optional<Long> micros, Optional<Long> gpuSeconds) {
    desk.database.run(
        tx -> desk.budgets.set(tx, ADMIN, scope, owner, Budget.Period.MONTH, micros, gpuSeconds));
  }

  private static LeaseSpec spec(int gpus) {
    return Desk.spec(gpus, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE);
  }

  @Test
  void aLeaseThatTheProjectsBudgetDoesNotCoverIsRefusedInASentence() {
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(10_000_000L), Optional.empty());
    desk.request(spec(2));
    assertThatThrownBy(() -> desk.request(spec(1)))
        .isInstanceOfSatisfying(
            Refused.class,
            no ->
                assertThat(no.refusal())
                    .isEqualTo(
                        new Refusal.BudgetExceeded(
                            "The budget of the project for this month is 10 USD: 0 USD are used, 8"
                                + " USD are set aside for other leases, and this one needs 4 USD at"
                                + " first. Raise the budget, or stop a lease.")));
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(12_000_000L), Optional.empty());
    desk.request(spec(1));
  }

  @Test
  void aKeysBudgetOfHoursCountsItsOwnLeasesOnly() {
    budget(Budget.Scope.API_KEY, KEY, Optional.empty(), Optional.of(3 * 3600L));
    desk.request(spec(4));
    UUID first = desk.request(spec(2), BY_KEY);
    assertThatThrownBy(() -> desk.request(spec(2), BY_KEY))
        .isInstanceOfSatisfying(
            Refused.class,
            no ->
                assertThat(no.refusal())
                    .isEqualTo(
                        new Refusal.BudgetExceeded(
                            "The budget of the API key for this month is 3 GPU-hours: 0 GPU-hours"
                                + " are used, 2 GPU-hours are set aside for other leases, and this"
                                + " one needs 2 GPU-hours at first. Raise the budget, or stop a"
                                + " lease.")));
    desk.stop(first);
    desk.request(spec(2), BY_KEY);
  }

  @Test
  void whenABudgetIsUsedUpTheNewestStopsFirstAndAllWereTold() {
    // 4 dollars an hour each: 9 dollars last both for a bit more than an hour.
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(9_000_000L), Optional.empty());
    UUID older = desk.request(spec(1));
    desk.stepTo(older, "running");
    UUID newer = desk.request(spec(1));
    desk.stepTo(newer, "running");
    desk.parts.spendingGuard().look();
    assertThat(told(newer)).doesNotContain(Event.Type.LEASE_FUNDS_LOW);
    boolean newerStopped = false;
    while (!isOver(older)) {
      desk.clock.advance(Duration.ofSeconds(30));
      desk.parts.spendingGuard().look();
      newerStopped |= isOver(newer);
      assertThat(newerStopped || !isOver(older)).as("the newer one goes first").isTrue();
    }
    assertThat(told(older).stream().filter(type -> type == Event.Type.LEASE_FUNDS_LOW)).hasSize(2);
    assertThat(((LeaseState.Stopping) desk.lease(newer).state()).why())
        .isEqualTo(EndReason.OUT_OF_FUNDS);
    Budgets.Standing standing = desk.budgets.list(ADMIN, Optional.empty(), 1).items().getFirst();
    assertThat(standing.spentMicros()).isBetween(8_900_000L, 9_000_000L);
  }

  @Test
  void eachBudgetIsToldOnceWhenItIsNearlyUsedUpAndOnceWhenItIs() {
    // Two leases use it; at 80 percent, and when the last one is stopped for it, and never again.
    List<String> heard = new ArrayList<>();
    Consumer<BudgetAlerts.Alert> told =
        alert -> heard.add(alert.level() + " " + alert.usedPercent());
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(9_000_000L), Optional.empty());
    UUID older = desk.request(spec(1));
    desk.stepTo(older, "running");
    UUID newer = desk.request(spec(1));
    desk.stepTo(newer, "running");
    for (int look = 0; look < 250; look++) {
      desk.clock.advance(Duration.ofSeconds(30));
      desk.parts.spendingGuard().look(told);
    }
    assertThat(heard).containsExactly("WARNING 80", "EXCEEDED 99");
    assertThat(budgetEvents(newer)).containsExactly(Event.Type.LEASE_BUDGET_WARNING);
    assertThat(budgetEvents(older)).containsExactly(Event.Type.LEASE_BUDGET_EXCEEDED);
    // What is set again is the same budget; what is set to something else is another one.
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(9_000_000L), Optional.empty());
    desk.parts.spendingGuard().look(told);
    assertThat(heard).hasSize(2);
    budget(Budget.Scope.PROJECT, Desk.OWNER, Optional.of(10_000_000L), Optional.empty());
    desk.parts.spendingGuard().look(told);
    desk.parts.spendingGuard().look(told);
    assertThat(heard).containsExactly("WARNING 80", "EXCEEDED 99", "WARNING 89");
  }

  @Test
  void aBudgetIsToldWhenItsLeaseHasEndedAndOnceForEachMonth() throws Exception {
    // The lease ends between two looks; every look may come twice at once.
    budget(Budget.Scope.API_KEY, KEY, Optional.empty(), Optional.of(10 * 3600L));
    useMostOfIt();
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    lookTwiceAtOnce(heard);
    lookTwiceAtOnce(heard);
    assertThat(heard).containsExactly("WARNING");
    desk.clock.advance(Duration.ofDays(31));
    lookTwiceAtOnce(heard);
    assertThat(heard).as("nothing was used in this month").hasSize(1);
    useMostOfIt();
    lookTwiceAtOnce(heard);
    assertThat(heard).containsExactly("WARNING", "WARNING");
    UUID last = desk.request(spec(1), BY_KEY);
    desk.stepTo(last, "running");
    desk.clock.advance(Duration.ofHours(2));
    lookTwiceAtOnce(heard);
    lookTwiceAtOnce(heard);
    assertThat(heard).containsExactly("WARNING", "WARNING", "EXCEEDED");
    assertThat(budgetEvents(last)).containsExactly(Event.Type.LEASE_BUDGET_EXCEEDED);
  }

  private void useMostOfIt() {
    UUID lease = desk.request(spec(1), BY_KEY);
    desk.stepTo(lease, "running");
    desk.clock.advance(Duration.ofMinutes(510));
    desk.stop(lease);
    desk.stepTo(lease, "ended");
  }

  private void lookTwiceAtOnce(List<String> heard) throws Exception {
    try (ExecutorService servers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> looks = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        looks.add(
            servers.submit(
                () -> desk.parts.spendingGuard().look(alert -> heard.add(alert.level().name()))));
      }
      for (Future<?> look : looks) {
        look.get();
      }
    }
  }

  private List<Event.Type> budgetEvents(UUID lease) {
    return told(lease).stream().filter(type -> type.name().contains("BUDGET")).toList();
  }

  @Test
  void whenPrepaidFundsAreUsedUpLeasesStopAndNothingIsOwed() {
    desk.close();
    LedgerRules rules = LedgerRules.standard();
    desk =
        new Desk(
            new LedgerRules(
                true,
                rules.holdFor(),
                5_000_000,
                rules.currency(),
                rules.checkEvery(),
                rules.stopAhead(),
                rules.warnAhead(),
                rules.lastWarnAhead(),
                rules.warnPercent(),
                rules.lastWarnPercent()),
            8);
    UUID lease = desk.request(spec(1));
    desk.stepTo(lease, "running");
    assertThatThrownBy(() -> desk.request(spec(1)))
        .isInstanceOfSatisfying(
            Refused.class,
            no -> assertThat(no.refusal()).isInstanceOf(Refusal.InsufficientFunds.class));
    while (!isOver(lease)) {
      desk.clock.advance(Duration.ofSeconds(30));
      desk.step(lease);
      desk.parts.spendingGuard().look();
    }
    assertThat(told(lease)).contains(Event.Type.LEASE_FUNDS_LOW);
    long left = desk.ledger.balance(ADMIN).fundsMicros();
    assertThat(left).as("a minute's worth at most, and never below nothing").isBetween(0L, 66_667L);
  }

  @Test
  void aBudgetIsSetByAnAdministratorAndCanBeTakenAway() {
    assertThatThrownBy(() ->
            desk.database.run(tx ->
                desk.budgets.set(
                    tx,
                    BY_KEY,
                    Budget.Scope.API_KEY,
                    KEY,
                    Budget.Period.TOTAL,
                    Optional.of(1L),
                    Optional.empty())))
        .isInstanceOf(Refused.class);
    budget(Budget.Scope.API_KEY, KEY, Optional.of(0L), Optional.empty());
    assertThatThrownBy(() -> desk.request(spec(1), BY_KEY)).isInstanceOf(Refused.class);
    UUID id = desk.budgets.get(ADMIN, KEY, Budget.Period.MONTH).orElseThrow().budget().id();
    boolean deleted = desk.database.tx(tx -> desk.budgets.delete(tx, ADMIN, id));
    List<String> acts = desk.database.read(tx -> AuditStore.actions(tx, id));
    assertThat(acts).containsExactly("budget.delete");
    List<String> set = desk.database.read(tx -> AuditStore.actions(tx, KEY));
    assertThat(set).isNotEmpty().containsOnly("budget.set");
    assertThat(deleted).isTrue();
    desk.request(spec(1), BY_KEY);
  }

  private boolean isOver(UUID lease) {
    return desk.lease(lease).state().isOver();
  }

  private List<Event.Type> told(UUID lease) {
    return desk.parts.leases().timeline(ADMIN, lease).stream().map(Event::type).toList();
  }
}
