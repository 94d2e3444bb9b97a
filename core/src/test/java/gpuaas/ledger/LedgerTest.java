package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.ledger.Account.Kind;
import gpuaas.spi.TestClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Money on a real database: held, used, given back, never changed, never twice. */
class LedgerTest {

  private static final UUID TENANT = new UUID(0, 2);
  private static final UUID PROJECT = new UUID(0, 3);
  private static final long PRICE = 3_600_000; // a GPU costs 1000 millionths a second
  private static final Caller ADMIN =
      new Caller(
          TENANT, "admin", TENANT, PROJECT, Standing.PLATFORM_ADMIN, Optional.empty(), "trace");
  private static final Caller USER =
      new Caller(TENANT, "user", TENANT, PROJECT, Standing.OWNER, Optional.empty(), "trace");

  private final TestClock clock = new TestClock();
  private Database database;
  private Ledger prepaid;
  private Ledger postpaid;

  @BeforeEach
  void open() {
    database = TestDatabase.open();
    prepaid = new Ledger(database, clock, rules(true, 0));
    postpaid = new Ledger(database, clock, rules(false, 0));
  }

  @AfterEach
  void close() {
    List<String> differences = database.read(LedgerStore::differences);
    database.close();
    assertThat(differences).isEmpty();
  }

  static LedgerRules rules(boolean prepaid, long startingCreditMicros) {
    LedgerRules standard = LedgerRules.standard();
    return new LedgerRules(
        prepaid,
        standard.holdFor(),
        startingCreditMicros,
        standard.currency(),
        standard.checkEvery(),
        standard.stopAhead(),
        standard.warnAhead(),
        standard.lastWarnAhead(),
        standard.warnPercent(),
        standard.lastWarnPercent());
  }

  @Test
  void aLeaseIsHeldForPaidAndGivenBackTheRest() {
    credit(10_000_000);
    UUID lease = hold(prepaid, 2);
    expect(prepaid, 2_800_000, 7_200_000, 0);
    Instant ready = clock.instant();
    run(prepaid, lease, Optional.of(ready), List.of(), false);
    run(prepaid, lease, Optional.empty(), List.of(usage(lease, ready, 0, 60)), false);
    expect(prepaid, 2_800_000, 7_080_000, 120_000);
    run(prepaid, lease, Optional.empty(), List.of(usage(lease, ready, 60, 90)), true);
    expect(prepaid, 9_820_000, 0, 180_000);
    List<Usage> usage = database.read(tx -> UsageStore.ofLease(tx, lease));
    assertThat(usage).hasSize(2);
    assertThat(usage.getLast().costMicros()).isEqualTo(60_000);
  }

  @Test
  void aLeaseThatNeverRanCostsNothing() {
    UUID lease = hold(postpaid, 1);
    expect(postpaid, -3_600_000, 3_600_000, 0);
    run(postpaid, lease, Optional.empty(), List.of(), true);
    expect(postpaid, 0, 0, 0);
  }

  @Test
  void aHoldIsFilledUpWhileTheLeaseRunsAndMoreThanItIsPaidFromTheFunds() {
    credit(4_000_000);
    UUID lease = hold(prepaid, 1);
    Instant ready = clock.instant();
    run(prepaid, lease, Optional.of(ready), List.of(usage(lease, ready, 0, 1801)), false);
    // Less than half was left: filled up with all there is.
    expect(prepaid, 0, 2_199_000, 1_801_000);
    run(prepaid, lease, Optional.empty(), List.of(usage(lease, ready, 1801, 4100)), true);
    expect(prepaid, -100_000, 0, 4_100_000);
  }

  @Test
  void withoutFundsAPrepaidLeaseIsRefusedAndNothingIsWritten() {
    credit(3_599_999);
    assertThatThrownBy(() -> hold(prepaid, 1))
        .isInstanceOfSatisfying(
            Refused.class,
            no ->
                assertThat(no.refusal())
                    .isEqualTo(new Refusal.InsufficientFunds(3_599_999, 3_600_000, "USD")));
    expect(prepaid, 3_599_999, 0, 0);
  }

  @Test
  void oneAccountIsNeverPromisedTwice() throws Exception {
    // Ten at once, and money for three.
    credit(3 * 3_600_000 + 1);
    List<Future<Boolean>> asked = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 10; i++) {
        asked.add(
            callers.submit(() -> {
              try {
                hold(prepaid, 1);
                return true;
              } catch (Refused no) {
                return false;
              }
            }));
      }
    }
    int accepted = 0;
    for (Future<Boolean> each : asked) {
      accepted += each.get() ? 1 : 0;
    }
    assertThat(accepted).isEqualTo(3);
    expect(prepaid, 1, 3 * 3_600_000, 0);
  }

  @Test
  void theSameTransferTwiceIsOne() {
    UUID id = UUID.fromString("00000000-0000-0000-0000-00000000000a");
    for (int i = 0; i < 2; i++) {
      database.run(tx -> prepaid.credit(tx, ADMIN, id, TENANT, 5, "paid"));
    }
    expect(prepaid, 5, 0, 0);
    assertThat(prepaid.transfers(USER, 10)).hasSize(1);
  }

  @Test
  void whatWasWrittenIsNeverChangedAndIsPutRightByAnotherTransfer() {
    credit(100);
    for (String statement :
        List.of(
            "update transfer set amount_micros = 1", "delete from transfer", "truncate transfer")) {
      assertThatThrownBy(() -> database.run(tx -> tx.update(statement).execute()))
          .hasMessageContaining("only ever added to");
    }
    UUID id = new UUID(7, 7);
    database.run(tx -> prepaid.correct(tx, ADMIN, id, TENANT, 40, "was charged by mistake"));
    expect(prepaid, 140, 0, -40);
  }

  @Test
  void onlyAnAdministratorPaysIn() {
    assertThatThrownBy(() ->
            database.run(tx -> prepaid.credit(tx, USER, new UUID(1, 1), TENANT, 5, "a present")))
        .isInstanceOfSatisfying(
            Refused.class, no -> assertThat(no.refusal()).isInstanceOf(Refusal.Denied.class));
  }

  @Test
  void aNewTenantIsGivenItsStartOnce() {
    Ledger generous = new Ledger(database, clock, rules(true, 1_000));
    Ledger restarted = new Ledger(database, clock, rules(true, 1_000));
    expect(generous, 1_000, 0, 0);
    expect(restarted, 1_000, 0, 0);
  }

  @Test
  void manyAtOnceOnOneAccountAddUp() throws Exception {
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService payers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 1; i <= 200; i++) {
        UUID id = new UUID(3, i);
        all.add(
            payers.submit(
                () -> database.run(tx -> prepaid.credit(tx, ADMIN, id, TENANT, 10, "paid"))));
      }
    }
    for (Future<?> each : all) {
      each.get();
    }
    expect(prepaid, 2_000, 0, 0);
  }

  private void credit(long micros) {
    database.run(tx -> prepaid.credit(tx, ADMIN, new UUID(9, micros), TENANT, micros, "paid"));
  }

  private UUID hold(Ledger ledger, int gpuCount) {
    UUID lease =
        UUID.nameUUIDFromBytes(
            Long.toString(System.nanoTime()).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    Hold.Owner owner = new Hold.Owner(lease, TENANT, PROJECT, Optional.empty());
    database.run(tx -> ledger.hold(tx, owner, "H200", gpuCount, PRICE));
    return lease;
  }

  private void run(
      Ledger ledger, UUID lease, Optional<Instant> started, List<Usage> usage, boolean over) {
    // The row of use names its lease.
    database.run(tx -> {
      tx.update("alter table usage drop constraint if exists usage_lease_id_fkey").execute();
      ledger.follow(tx, List.of(new Ledger.Turn(lease, started, usage, over)));
    });
  }

  private Usage usage(UUID lease, Instant ready, long from, long to) {
    int gpuCount = database.read(tx -> HoldStore.find(tx, lease)).map(Hold::gpuCount).orElseThrow();
    Evidence none = new Evidence(Evidence.Proof.INSPECTED, ready, "test");
    return new Usage(
        lease,
        ready,
        ready.plus(Duration.ofSeconds(from)),
        ready.plus(Duration.ofSeconds(to)),
        gpuCount,
        PRICE,
        none,
        none);
  }

  private void expect(Ledger ledger, long funds, long held, long spent) {
    Ledger.Balance balance = ledger.balance(USER);
    assertThat(balance).isEqualTo(new Ledger.Balance(funds, held, spent, "USD"));
    assertThat(new Account(TENANT, Kind.FUNDS, "USD").id()).isNotNull();
  }
}
