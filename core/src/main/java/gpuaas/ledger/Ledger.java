package gpuaas.ledger;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.Account.Kind;
import gpuaas.ledger.Hold.Posting;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Money. What a lease does is posted in the transaction that writes the lease, so that there is no
 * lease without its hold and no use without its bill.
 */
public final class Ledger {

  private static final long CREDIT_MOST_MICROS = 1_000_000_000_000_000L;
  private static final int REASON_LENGTH_MOST = 500;

  private final Database database;
  private final InstantSource clock;
  private final LedgerRules rules;
  private final Set<UUID> opened = ConcurrentHashMap.newKeySet();

  public Ledger(Database database, InstantSource clock, LedgerRules rules) {
    this.database = database;
    this.clock = clock;
    this.rules = rules;
  }

  /** How money is handled here. */
  public LedgerRules rules() {
    return rules;
  }

  /** What a tenant has. */
  public record Balance(long fundsMicros, long heldMicros, long spentMicros, String currency) {}

  /** What the caller's tenant has. */
  public Balance balance(Caller caller) {
    caller.require(Action.BILLING_READ);
    return database.tx(tx -> balance(tx, caller.tenant()));
  }

  /** What a tenant has, for decisions. */
  public Balance balance(Tx tx, UUID tenant) {
    open(tx, tenant);
    return new Balance(
        LedgerStore.balance(tx, account(tenant, Kind.FUNDS)),
        LedgerStore.balance(tx, account(tenant, Kind.HELD)),
        LedgerStore.balance(tx, account(tenant, Kind.REVENUE)),
        rules.currency());
  }

  /**
   * Pays money in for a tenant, or gives it.
   *
   * @param id of the transfer; the same again does nothing
   */
  public void credit(Tx tx, Caller caller, UUID id, UUID tenant, long micros, String reason) {
    caller.require(Action.BILLING_WRITE);
    refuseAmount(micros, reason);
    open(tx, tenant);
    post(tx, id, tenant, Kind.FUNDING, Kind.FUNDS, micros, Transfer.Kind.CREDIT, reason);
    AuditStore.append(tx, caller, Act.CREDIT_ADD, id, clock.instant());
  }

  /**
   * Puts a mistake right: gives back what was charged. What was written stays.
   *
   * @param id of the transfer; the same again does nothing
   */
  public void correct(Tx tx, Caller caller, UUID id, UUID tenant, long micros, String reason) {
    caller.require(Action.BILLING_WRITE);
    refuseAmount(micros, reason);
    open(tx, tenant);
    post(tx, id, tenant, Kind.REVENUE, Kind.FUNDS, micros, Transfer.Kind.CORRECTION, reason);
    AuditStore.append(tx, caller, Act.CREDIT_CORRECT, id, clock.instant());
  }

  /** The last movements of the money of the caller's tenant, newest first. */
  public List<Transfer> transfers(Caller caller, int limit) {
    caller.require(Action.BILLING_READ);
    return database.read(tx -> LedgerStore.list(tx, caller.tenant(), limit));
  }

  private static void refuseAmount(long micros, String reason) {
    if (micros <= 0 || micros > CREDIT_MOST_MICROS) {
      throw new Refused(
          Refusal.Invalid.field(
              "amount_micros", "must be from 1 to " + CREDIT_MOST_MICROS + " millionths"));
    }
    if (reason.isBlank() || reason.length() > REASON_LENGTH_MOST) {
      throw new Refused(
          Refusal.Invalid.field("reason", "must have 1 to " + REASON_LENGTH_MOST + " characters"));
    }
  }

  /**
   * Sets aside what a new lease costs at first, in the transaction that accepts it. Refuses with
   * {@link Refusal.InsufficientFunds} or {@link Refusal.BudgetExceeded}.
   */
  public void hold(
      Tx tx, Hold.Owner owner, String gpuModel, int gpuCount, long pricePerGpuHourMicros) {
    open(tx, owner.tenant());
    Posting hold =
        Hold.opened(owner, gpuModel, gpuCount, pricePerGpuHourMicros, rules, clock.instant());
    long needed = hold.after().heldMicros();
    if (rules.prepaid() && needed > 0) {
      Account funds = account(owner.tenant(), Kind.FUNDS);
      LedgerStore.lock(tx, funds);
      long there = LedgerStore.balance(tx, funds);
      if (there < needed) {
        throw new Refused(
            new Refusal.InsufficientFunds(Math.max(0, there), needed, rules.currency()));
      }
    }
    Budgets.check(tx, hold.after(), rules, clock.instant());
    HoldStore.add(tx, hold.after());
    LedgerStore.post(tx, hold.transfers());
  }

  /**
   * What became of a lease, as far as money goes by it.
   *
   * @param startedAt present: the lease was just proved to be ready
   * @param over true: nothing more will be used
   */
  public record Turn(UUID lease, Optional<Instant> startedAt, List<Usage> usage, boolean over) {
    private boolean costsNothing() {
      return startedAt.isEmpty() && usage.isEmpty() && !over;
    }
  }

  /**
   * Posts what changes of leases mean for their money, in the transaction that writes the changes.
   */
  public void follow(Tx tx, List<Turn> all) {
    List<Turn> turns = all.stream().filter(turn -> !turn.costsNothing()).toList();
    if (turns.isEmpty()) {
      return;
    }
    Map<UUID, Hold> holds = HoldStore.find(tx, turns.stream().map(Turn::lease).toList());
    for (Turn turn : turns) {
      Hold hold = holds.get(turn.lease());
      if (hold == null) {
        throw new IllegalStateException("lease " + turn.lease() + " has no hold");
      }
      if (hold.closedAt().isEmpty()) {
        follow(tx, hold, turn);
      }
    }
  }

  private void follow(Tx tx, Hold hold, Turn turn) {
    Posting posting = following(hold, turn.startedAt(), turn.usage(), turn.over(), clock.instant());
    if (posting.after().isLow(rules.holdFor())) {
      posting = refilled(tx, posting);
    }
    turn.usage().forEach(each -> UsageStore.append(tx, each));
    HoldStore.write(tx, posting.after());
    LedgerStore.post(tx, posting.transfers());
  }

  /** What a change of a lease means for its money, apart from filling the hold up. Pure. */
  public static Posting following(
      Hold hold, Optional<Instant> startedAt, List<Usage> usage, boolean over, Instant now) {
    Hold after = startedAt.map(hold::started).orElse(hold);
    List<Transfer> transfers = new ArrayList<>();
    for (Usage each : usage) {
      Posting paid = after.used(each);
      transfers.addAll(paid.transfers());
      after = paid.after();
    }
    if (over) {
      Posting closed = after.closed(now);
      transfers.addAll(closed.transfers());
      after = closed.after();
    }
    return new Posting(after, transfers);
  }

  private Posting refilled(Tx tx, Posting before) {
    Hold low = before.after();
    long full = Hold.price(low.gpuCount(), low.pricePerGpuHourMicros(), rules.holdFor());
    if (rules.prepaid()) {
      Account funds = account(low.owner().tenant(), Kind.FUNDS);
      LedgerStore.lock(tx, funds);
      long taken =
          before.transfers().stream()
              .filter(each -> each.debit().equals(funds.id()))
              .mapToLong(Transfer::amountMicros)
              .sum();
      long there = LedgerStore.balance(tx, funds) - taken;
      full = Math.min(full, low.heldMicros() + Math.max(0, there));
    }
    Posting refilled = low.filled(full, clock.instant());
    List<Transfer> all = new ArrayList<>(before.transfers());
    all.addAll(refilled.transfers());
    return new Posting(refilled.after(), all);
  }

  private void open(Tx tx, UUID tenant) {
    if (opened.contains(tenant)) {
      return;
    }
    if (LedgerStore.open(tx, tenant, rules.currency()) && rules.startingCreditMicros() > 0) {
      post(
          tx,
          Transfer.idOf(tenant + "/starting-credit"),
          tenant,
          Kind.FUNDING,
          Kind.FUNDS,
          rules.startingCreditMicros(),
          Transfer.Kind.CREDIT,
          "starting credit");
    }
    tx.afterCommit(() -> opened.add(tenant));
  }

  private void post(
      Tx tx,
      UUID id,
      UUID tenant,
      Kind from,
      Kind to,
      long micros,
      Transfer.Kind kind,
      String reason) {
    Transfer transfer =
        new Transfer(
            id,
            tenant,
            account(tenant, from).id(),
            account(tenant, to).id(),
            micros,
            kind,
            Optional.empty(),
            clock.instant(),
            reason);
    LedgerStore.post(tx, List.of(transfer));
  }

  private Account account(UUID tenant, Kind kind) {
    return new Account(tenant, kind, rules.currency());
  }
}
