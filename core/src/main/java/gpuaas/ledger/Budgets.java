package gpuaas.ledger;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.Budget.Period;
import gpuaas.ledger.Budget.Scope;
import gpuaas.ledger.Budget.Spent;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Limits on what projects and API keys spend and use. */
public final class Budgets {

  private static final int PERCENT = 100;
  private static final long SECONDS_OF_HOUR = 3600;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final LedgerRules rules;

  public Budgets(Database database, Ids ids, InstantSource clock, LedgerRules rules) {
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
  }

  /**
   * Sets the budget of a project or key for a period, in place of the one there was.
   *
   * @param owner the project or the key, of the caller's tenant
   */
  public void set(
      Tx tx,
      Caller caller,
      Scope scope,
      UUID owner,
      Period period,
      Optional<Long> mostMicros,
      Optional<Long> mostGpuSeconds) {
    caller.require(Action.BILLING_WRITE);
    put(tx, caller.tenant(), scope, owner, period, mostMicros, mostGpuSeconds);
    AuditStore.append(tx, caller, Act.BUDGET_SET, owner, clock.instant());
  }

  /** The same for a project or key that the caller may see, of whichever tenant. */
  public Standing setAnywhere(
      Tx tx,
      Caller caller,
      Scope scope,
      UUID owner,
      Period period,
      Optional<Long> mostMicros,
      Optional<Long> mostGpuSeconds) {
    caller.require(Action.BILLING_WRITE);
    UUID tenant = tenant(tx, caller, scope, owner);
    put(tx, tenant, scope, owner, period, mostMicros, mostGpuSeconds);
    AuditStore.append(tx, caller, Act.BUDGET_SET, owner, clock.instant());
    return find(tx, tenant, owner, period).orElseThrow();
  }

  /** Removes the budget of a project or key that the caller may see; false: there is none. */
  public boolean deleteAnywhere(Tx tx, Caller caller, Scope scope, UUID owner, Period period) {
    caller.require(Action.BILLING_WRITE);
    UUID tenant = tenant(tx, caller, scope, owner);
    boolean deleted =
        find(tx, tenant, owner, period)
            .map(there -> BudgetStore.delete(tx, tenant, there.budget().id()))
            .orElse(false);
    if (deleted) {
      AuditStore.append(tx, caller, Act.BUDGET_DELETE, owner, clock.instant());
    }
    return deleted;
  }

  private static UUID tenant(Tx tx, Caller caller, Scope scope, UUID owner) {
    return BudgetStore.owner(tx, scope, owner)
        .filter(found -> caller.sees(found.project()))
        .map(BudgetStore.Owner::tenant)
        .orElseThrow(() ->
            new Refused(
                new Refusal.NotFound(
                    scope == Scope.PROJECT ? Refusal.Kind.PROJECT : Refusal.Kind.API_KEY,
                    owner.toString())));
  }

  private Optional<Standing> find(Tx tx, UUID tenant, UUID owner, Period period) {
    return BudgetStore.find(tx, tenant, owner, period).map(each -> standing(tx, each));
  }

  private void put(
      Tx tx,
      UUID tenant,
      Scope scope,
      UUID owner,
      Period period,
      Optional<Long> mostMicros,
      Optional<Long> mostGpuSeconds) {
    if (mostMicros.isEmpty() && mostGpuSeconds.isEmpty()) {
      throw new Refused(Refusal.Invalid.field("most_micros", "or most_gpu_seconds must be there"));
    }
    if (mostMicros.orElse(0L) < 0 || mostGpuSeconds.orElse(0L) < 0) {
      throw new Refused(Refusal.Invalid.field("budget", "must not be below 0"));
    }
    Budget budget =
        new Budget(ids.next(), tenant, scope, owner, period, mostMicros, mostGpuSeconds);
    BudgetStore.put(tx, budget, clock.instant());
  }

  /** A budget and what counts against it. */
  public record Standing(Budget budget, long spentMicros, long heldMicros, long usedGpuSeconds) {}

  /**
   * The budgets of the caller's tenant, in the order in which they were made.
   *
   * @param after the id of the last one of the page before
   */
  public Page<Standing> list(Caller caller, Optional<UUID> after, int limit) {
    caller.require(Action.BILLING_READ);
    return database.read(tx -> {
      List<Budget> found = BudgetStore.list(tx, caller.tenant(), after, limit + 1);
      List<Standing> page = found.stream().limit(limit).map(each -> standing(tx, each)).toList();
      return new Page<>(
          page,
          found.size() > limit
              ? Optional.of(page.getLast().budget().id().toString())
              : Optional.empty());
    });
  }

  /** The budget of a project or key for a period, if there is one. */
  public Optional<Standing> get(Caller caller, UUID owner, Period period) {
    caller.require(Action.BILLING_READ);
    return database.read(tx -> find(tx, caller.tenant(), owner, period));
  }

  private Standing standing(Tx tx, Budget budget) {
    Spent spent = BudgetStore.spent(tx, budget, clock.instant());
    return new Standing(budget, spent.micros(), spent.heldMicros(), spent.gpuSeconds());
  }

  /** Removes a budget; false: there is none. */
  public boolean delete(Tx tx, Caller caller, UUID id) {
    caller.require(Action.BILLING_WRITE);
    boolean deleted = BudgetStore.delete(tx, caller.tenant(), id);
    if (deleted) {
      AuditStore.append(tx, caller, Act.BUDGET_DELETE, id, clock.instant());
    }
    return deleted;
  }

  /** Refuses a new lease that a budget does not cover, with what is set aside for all others. */
  static void check(Tx tx, Hold hold, LedgerRules rules, Instant now) {
    Hold.Owner owner = hold.owner();
    List<Object> whose = List.of(Budget.class, owner.project(), owner.apiKey());
    if (!tx.recall(whose, own -> BudgetStore.isThere(own, owner))) {
      return;
    }
    for (Budget budget : BudgetStore.lock(tx, owner)) {
      Spent spent = BudgetStore.spent(tx, budget, now);
      long seconds = rules.holdFor().toSeconds();
      budget
          .mostMicros()
          .filter(most -> spent.micros() + spent.heldMicros() + hold.heldMicros() > most)
          .ifPresent(most -> {
            throw exceeded(
                budget,
                money(most, hold),
                money(spent.micros(), hold),
                money(spent.heldMicros(), hold),
                money(hold.heldMicros(), hold));
          });
      budget
          .mostGpuSeconds()
          .filter(
              most -> spent.gpuSeconds() + (spent.gpusHeld() + hold.gpuCount()) * seconds > most)
          .ifPresent(most -> {
            throw exceeded(
                budget,
                gpuHours(most),
                gpuHours(spent.gpuSeconds()),
                gpuHours(spent.gpusHeld() * seconds),
                gpuHours(hold.gpuCount() * seconds));
          });
    }
  }

  private static Refused exceeded(
      Budget budget, String most, String spent, String held, String needed) {
    String title = budget.title();
    return new Refused(
        new Refusal.BudgetExceeded(
            title.substring(0, 1).toUpperCase(java.util.Locale.ROOT)
                + title.substring(1)
                + " is "
                + most
                + ": "
                + spent
                + " are used, "
                + held
                + " are set aside for other leases, and this one needs "
                + needed
                + " at first. Raise the budget, or stop a lease."));
  }

  private static String money(long micros, Hold hold) {
    return BigDecimal.valueOf(micros, 6).stripTrailingZeros().toPlainString()
        + " "
        + hold.currency();
  }

  private static String gpuHours(long seconds) {
    return BigDecimal.valueOf(seconds)
            .divide(BigDecimal.valueOf(SECONDS_OF_HOUR), 2, java.math.RoundingMode.HALF_UP)
            .stripTrailingZeros()
            .toPlainString()
        + " GPU-hours";
  }

  /** Everything that running leases use up now: budgets, and the funds of tenants that prepay. */
  public List<Spending> spending() {
    return database.tx(tx -> {
      Instant now = clock.instant();
      List<Spending> all = new ArrayList<>();
      for (Budget budget : BudgetStore.watched(tx)) {
        Spent spent = BudgetStore.spent(tx, budget, now);
        List<Spending.Running> running = BudgetStore.running(tx, budget);
        budget
            .mostMicros()
            .ifPresent(most ->
                all.add(
                    new Spending(
                        budget.title(),
                        most - spent.micros(),
                        percent(spent.micros(), most),
                        Spending.Running::pricePerHourMicros,
                        running)));
        budget
            .mostGpuSeconds()
            .ifPresent(most ->
                all.add(
                    new Spending(
                        budget.title(),
                        most - spent.gpuSeconds(),
                        percent(spent.gpuSeconds(), most),
                        lease -> lease.gpuCount() * SECONDS_OF_HOUR,
                        running)));
      }
      if (rules.prepaid()) {
        BudgetStore.tenants(tx).forEach(tenant -> all.add(funds(tx, tenant, now)));
      }
      return all;
    });
  }

  private Spending funds(Tx tx, UUID tenant, Instant now) {
    Account funds = new Account(tenant, Account.Kind.FUNDS, rules.currency());
    Spent running = BudgetStore.unpaid(tx, tenant, now);
    long left = LedgerStore.balance(tx, funds) + running.heldMicros() - running.micros();
    return new Spending(
        "the funds",
        left,
        0,
        Spending.Running::pricePerHourMicros,
        BudgetStore.running(tx, tenant));
  }

  /** What is told of budgets themselves. */
  public BudgetAlerts alerts() {
    return new BudgetAlerts(database, clock, rules);
  }

  /** Remembers, in the transaction that tells it, that the owner of a lease was told. */
  public void warned(Tx tx, UUID lease, int level) {
    BudgetStore.warned(tx, lease, level);
  }

  private static int percent(long used, long most) {
    return most == 0 ? PERCENT : (int) Math.min(PERCENT, used / Math.max(1, most / PERCENT));
  }
}
