package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.lease.Desk;
import gpuaas.ledger.ReconciliationStore.Machine;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.Tier;
import gpuaas.spi.market.HasCharges;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A market's bill beside ours, on a real database: the difference is posted once, come what may.
 */
class ReconciliationTest {

  private static final Caller ADMIN = Desk.caller(Standing.PLATFORM_ADMIN);
  private static final LocalDate FIRST = LocalDate.parse("2026-01-01");
  private static final LocalDate SECOND = FIRST.plusDays(1);

  private final Desk desk = new Desk(LedgerRules.standard(), 8); // a GPU costs 4 dollars an hour
  private final Market market = new Market();
  private final Reconciliation books = books(Map.of("sim", market));

  private Reconciliation books(Map<String, Provider> markets) {
    return new Reconciliation(
        desk.database,
        new Providers(markets),
        desk.clock,
        LedgerRules.standard(),
        ReconciliationRules.standard());
  }

  @AfterEach
  void close() {
    List<String> differences = desk.database.read(LedgerStore::differences);
    desk.close();
    assertThat(differences).isEmpty();
  }

  /** A market whose bills a test writes. */
  private static final class Market implements Provider, HasCharges {
    final Map<LocalDate, List<Charge>> bills = new HashMap<>();
    final List<LocalDate> asked = new ArrayList<>();
    private boolean down;

    void bill(LocalDate day, Charge... charges) {
      bills.put(day, List.of(charges));
    }

    @Override
    public synchronized List<Charge> charges(Instant from, Instant until) {
      assertThat(Duration.between(from, until)).isEqualTo(Duration.ofDays(1));
      LocalDate day = LocalDate.ofInstant(from, ZoneOffset.UTC);
      asked.add(day);
      if (down) {
        throw new ProviderException.Unavailable("down for the night", null);
      }
      return bills.getOrDefault(day, List.of());
    }

    @Override
    public List<Offer> offers(OfferQuery query) {
      return List.of();
    }

    @Override
    public InstanceRef create(InstanceRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Optional<InstanceStatus> inspect(InstanceRef instance) {
      return Optional.empty();
    }

    @Override
    public void destroy(InstanceRef instance) {}

    @Override
    public List<Owned> list(String deployment) {
      return List.of();
    }

    @Override
    public void close() {}
  }

  private static HasCharges.Charge charge(String machine, String dollars) {
    return new HasCharges.Charge(new InstanceRef("sim", machine), Money.usd(dollars));
  }

  /** A lease and its machine. */
  private record Used(UUID lease, String machine) {}

  private Used runs(int gpus) {
    UUID lease = desk.request(gpus, Tier.ON_DEMAND);
    String machine = desk.stepTo(lease, "running").state().named().orElseThrow().id();
    return new Used(lease, machine);
  }

  private Used used(int gpus, Duration time) {
    Used used = runs(gpus);
    // Each step came a second after the one before: it ran for one already.
    desk.clock.advance(time.minusSeconds(1));
    desk.stop(used.lease());
    desk.stepTo(used.lease(), "ended");
    return used;
  }

  private void goTo(LocalDate day) {
    Instant start = day.atStartOfDay(ZoneOffset.UTC).toInstant();
    desk.clock.advance(Duration.between(desk.clock.instant(), start));
  }

  private List<Machine> machines(Caller caller) {
    return books
        .list(caller, new Reconciliation.Query(Optional.empty(), FIRST, FIRST.plusYears(1), 100, 0))
        .machines();
  }

  private int postings() {
    List<Transfer> all = desk.database.read(tx -> LedgerStore.list(tx, Account.PLATFORM, 1000));
    return all.size();
  }

  @Test
  void eachMachineIsComparedAndTheDifferencePosted() {
    // One that was charged less, one that no lease knows, and one that was not charged at all.
    Used used = used(1, Duration.ofHours(2));
    Used free = used(2, Duration.ofHours(1));
    market.bill(FIRST, charge(used.machine(), "7.90"), charge("stray", "1.25"));
    assertThat(books.look()).isEmpty();
    assertThat(market.asked).as("the day has not ended").isEmpty();
    goTo(SECOND);
    assertThat(books.look()).isEmpty();
    assertThat(machines(ADMIN))
        .containsExactlyInAnyOrder(
            new Machine(
                "sim", FIRST, used.machine(), Optional.of(used.lease()), 8_000_000, 7_900_000, 1),
            new Machine("sim", FIRST, free.machine(), Optional.of(free.lease()), 8_000_000, 0, 1),
            new Machine("sim", FIRST, "stray", Optional.empty(), 0, 1_250_000, 1));
    assertThat(books.differenceMicros()).isEqualTo(-100_000 - 8_000_000 + 1_250_000);
    assertThat(desk.ledger.balance(ADMIN).spentMicros())
        .as("the tenant pays its own bill")
        .isEqualTo(16_000_000);
  }

  @Test
  void whatIsTheSameIsNotPostedAgainAndWhatChangedIsPostedAsAChange() {
    Used used = used(1, Duration.ofHours(1));
    market.bill(FIRST, charge(used.machine(), "3"));
    goTo(SECOND);
    assertThat(books.look()).isEmpty();
    assertThat(books.look()).isEmpty();
    assertThat(postings()).isEqualTo(1);
    market.bill(FIRST, charge(used.machine(), "3.5"));
    assertThat(books.look()).isEmpty();
    assertThat(postings()).isEqualTo(2);
    assertThat(books.differenceMicros()).isEqualTo(-500_000);
    market.bill(FIRST, charge(used.machine(), "3"));
    assertThat(books.look()).isEmpty();
    assertThat(books.differenceMicros()).isEqualTo(-1_000_000);
    assertThat(postings()).isEqualTo(3);
    goTo(SECOND.plusDays(30));
    market.asked.clear();
    assertThat(books.look()).isEmpty();
    assertThat(market.asked)
        .as("it was compared long ago; days that nobody has compared are caught up with")
        .doesNotContain(FIRST)
        .contains(SECOND, SECOND.plusDays(29));
  }

  @Test
  void aMarketThatDoesNotAnswerLeavesTheDayOpen() {
    Used used = used(1, Duration.ofHours(1));
    market.bill(FIRST, charge(used.machine(), "5"));
    market.down = true;
    goTo(SECOND);
    assertThat(books.look())
        .containsExactly(
            new Reconciliation.Left(
                "sim", FIRST, "the market could not be asked: down for the night"));
    assertThat(postings()).isZero();
    goTo(SECOND.plusDays(20));
    market.down = false;
    assertThat(books.look()).isEmpty();
    assertThat(books.differenceMicros()).isEqualTo(1_000_000);
  }

  @Test
  void aBillThatCannotBeRightIsNotBelieved() {
    // Empty while a machine was used; empty where it was not before; a machine twice; other money.
    Used used = used(1, Duration.ofHours(1));
    goTo(SECOND);
    assertLeft("the bill is empty, and 1 of our machines were used");
    market.bill(FIRST, charge("a", "1"), charge("a", "1"));
    assertLeft("the bill names machine a twice");
    market.bill(
        FIRST,
        new HasCharges.Charge(new InstanceRef("sim", used.machine()), new Money(4_000_000, "EUR")));
    assertLeft("the bill is in EUR, ours in USD");
    market.bill(FIRST, new HasCharges.Charge(new InstanceRef("other", "a"), new Money(1, "USD")));
    assertLeft("the bill names a machine of other");
    assertThat(machines(ADMIN)).isEmpty();
    assertThat(postings()).isZero();
    market.bill(FIRST, charge(used.machine(), "4.5"));
    assertThat(books.look()).isEmpty();
    market.bill(FIRST);
    assertLeft("the bill is empty, and 1 of our machines were used");
    assertThat(books.differenceMicros()).as("what was compared stays").isEqualTo(500_000);
  }

  @Test
  void anEmptyBillOfADayOnWhichNothingWasUsedIsRight() {
    used(1, Duration.ofHours(1));
    goTo(SECOND.plusDays(1));
    assertThat(books.look()).extracting(Reconciliation.Left::day).containsExactly(FIRST);
    market.bill(SECOND, charge("stray", "1"));
    assertThat(books.look()).extracting(Reconciliation.Left::day).containsExactly(FIRST);
    market.bill(SECOND);
    assertThat(books.look())
        .extracting(Reconciliation.Left::why)
        .contains("the bill is empty, and was not before");
  }

  private void assertLeft(String why) {
    assertThat(books.look()).containsExactly(new Reconciliation.Left("sim", FIRST, why));
  }

  @Test
  void theDaysOfALeaseAddUpToItsBill() {
    // It runs over two midnights and a part of a second; 3 GPUs at a price that does not divide.
    desk.clock.advance(Duration.ofHours(20).plusMillis(333));
    Used used = runs(3);
    for (int day = 1; day <= 2; day++) {
      goTo(FIRST.plusDays(day));
      market.bill(FIRST.plusDays(day - 1), charge(used.machine(), "1"));
      assertThat(books.look()).isEmpty();
    }
    desk.clock.advance(Duration.ofMinutes(77).plusMillis(900));
    desk.stop(used.lease());
    market.bill(FIRST.plusDays(2), charge(used.machine(), "1"));
    goTo(FIRST.plusDays(3));
    assertThat(books.look()).isEmpty();
    assertThat(machines(ADMIN)).hasSize(3);
    long ours = machines(ADMIN).stream().mapToLong(Machine::oursMicros).sum();
    assertThat(ours).isEqualTo(desk.ledger.balance(ADMIN).spentMicros());
  }

  @Test
  void manyAtOncePostOnce() throws Exception {
    Used used = used(1, Duration.ofHours(1));
    market.bill(FIRST, charge(used.machine(), "3.25"), charge("stray", "2"));
    goTo(SECOND);
    try (ExecutorService servers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Reconciliation.Left>>> looks = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Reconciliation another = books(Map.of("sim", market));
        looks.add(servers.submit(another::look));
      }
      for (Future<List<Reconciliation.Left>> look : looks) {
        assertThat(look.get()).isEmpty();
      }
    }
    assertThat(postings()).isEqualTo(2);
    assertThat(books.differenceMicros()).isEqualTo(-750_000 + 2_000_000);
  }

  @Test
  void marketsAreComparedEachForItself() {
    // The second one is down; a provider without bills is not asked.
    Used here = used(1, Duration.ofHours(1));
    Used there = used(1, Duration.ofHours(1));
    desk.database.run(tx ->
        tx.update("update instance_seen set provider = 'other' where lease_id = :lease")
            .bind("lease", there.lease())
            .execute());
    market.bill(FIRST, charge(here.machine(), "4"));
    Market other = new Market();
    other.down = true;
    goTo(SECOND);
    assertThat(books(Map.of("sim", market, "other", other)).look())
        .extracting(Reconciliation.Left::provider)
        .containsExactly("other");
    assertThat(machines(ADMIN)).extracting(Machine::provider).containsExactly("sim");
    assertThat(books.differenceMicros()).isZero();
    other.down = false;
    other.bill(
        FIRST, new HasCharges.Charge(new InstanceRef("other", there.machine()), Money.usd("4.04")));
    assertThat(books(Map.of("sim", market, "other", other)).look()).isEmpty();
    assertThat(books.differenceMicros()).isEqualTo(40_000);
  }

  @Test
  void aProjectSeesItsOwnMachinesAndAnAdministratorAll() {
    Used used = used(1, Duration.ofHours(1));
    market.bill(FIRST, charge(used.machine(), "4"), charge("stray", "1"));
    goTo(SECOND);
    assertThat(books.look()).isEmpty();
    assertThat(machines(Desk.caller(Standing.OWNER)))
        .extracting(Machine::instance)
        .containsExactly(used.machine());
    assertThat(machines(by(Standing.OWNER, new UUID(7, 7), Optional.empty()))).isEmpty();
    Caller.Key key = new Caller.Key(new UUID(5, 5), Set.of(Action.BILLING_READ));
    assertThat(machines(by(Standing.PLATFORM_ADMIN, Desk.OWNER, Optional.of(key)))).hasSize(1);
    assertThat(machines(ADMIN)).hasSize(2);
    Caller.Key blind = new Caller.Key(new UUID(5, 6), Set.of(Action.LEASE_READ));
    assertThatThrownBy(() -> machines(by(Standing.PLATFORM_ADMIN, Desk.OWNER, Optional.of(blind))))
        .isInstanceOf(Refused.class);
    Reconciliation.Listed page =
        books.list(ADMIN, new Reconciliation.Query(Optional.of("sim"), FIRST, SECOND, 1, 1));
    assertThat(page.machines()).hasSize(1);
    assertThat(page.total()).isEqualTo(2);
    assertThat(page.differenceMicros()).isEqualTo(1_000_000);
    assertThat(
            books
                .list(ADMIN, new Reconciliation.Query(Optional.of("none"), FIRST, SECOND, 9, 0))
                .total())
        .isZero();
  }

  private static Caller by(Standing role, UUID project, Optional<Caller.Key> key) {
    return new Caller(Desk.OWNER, "test", project, project, role, key, "trace-7");
  }
}
