package gpuaas.capacity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import gpuaas.capacity.Catalog.Failure;
import gpuaas.capacity.Catalog.Listed;
import gpuaas.capacity.Catalog.Look;
import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Price;
import gpuaas.catalog.PriceStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Eventually;
import gpuaas.spi.Gpu;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What people who choose are shown, on a real database, with markets that can be away. */
class CatalogTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Gpu H100 = Gpu.called("H100", 81_559);

  private final TestClock clock = new TestClock();
  private final Database database = TestDatabase.open();
  private final TestMarket cheap = new TestMarket(clock);
  private final TestMarket dear = new TestMarket(clock);
  private final Providers providers = new Providers(markets());
  private final NodeSync sync = new NodeSync(database, providers, clock);
  private final Catalog catalog = catalog(sync, providers);

  private Map<String, gpuaas.spi.Provider> markets() {
    Map<String, gpuaas.spi.Provider> markets = new LinkedHashMap<>();
    markets.put("cheap", cheap);
    markets.put("dear", dear);
    return markets;
  }

  private Catalog catalog(NodeSync of, Providers all) {
    return new Catalog(of, all, database, clock, CatalogRules.standard());
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static List<String> ids(Look look) {
    return look.offers().stream().map(Listed::id).toList();
  }

  private List<String> all() {
    return ids(catalog.list(Optional.empty()));
  }

  @Test
  void aHundredFirstRequestsAskEachProviderOnce() throws Exception {
    // All wait for the same answer, however slow it is.
    cheap.offers = List.of(TestOffers.of("cheap", "1"));
    dear.offers = List.of(TestOffers.of("dear", "1"));
    cheap.open = new CountDownLatch(1);
    try (ExecutorService people = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<String>>> looks = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        looks.add(people.submit(this::all));
      }
      Eventually.within(TIMEOUT, "nobody asked", () -> cheap.calls.get() > 0);
      cheap.open.countDown();
      for (Future<List<String>> look : looks) {
        assertThat(look.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
            .containsExactly("cheap-1", "dear-1");
      }
    }
    assertThat(cheap.calls).hasValue(1);
    assertThat(dear.calls).hasValue(1);
  }

  @Test
  void theBestComesFirst() {
    // By confidence, then by what all of it costs, then by id; the rest of it is what was said.
    cheap.offers =
        List.of(
            TestOffers.of("cheap", "b", H100, 1, "2.00"),
            TestOffers.of("cheap", "two", H100, 2, "1.50"),
            TestOffers.of("cheap", "a", H100, 1, "2.00"),
            TestOffers.with("cheap", "unsure", Optional.of("0.4"), Optional.of("0.9")));
    assertThat(all()).containsExactly("cheap-a", "cheap-b", "cheap-two", "cheap-unsure");
    Listed two = catalog.find("cheap-two").orElseThrow();
    assertThat(two.pricePerHourMicros()).isEqualTo(3_000_000);
    assertThat(two.gpuCount()).isEqualTo(2);
    assertThat(two.memoryGbPerGpu()).isEqualTo(80);
    assertThat(two.offer().seenAt()).isEqualTo(clock.instant());
    Look dearOnly = catalog.list(Optional.of("dear"));
    assertThat(dearOnly.offers()).isEmpty();
    assertThat(dearOnly.failures()).isEmpty();
  }

  @Test
  void aFailureNeverReplacesWhatIsKnown() {
    // What was said stays, and counts less as it gets older.
    cheap.offers = List.of(TestOffers.of("cheap", "1"));
    assertThat(all()).containsExactly("cheap-1");
    cheap.away = true;
    clock.advance(Duration.ofMinutes(10));
    int before = cheap.calls.get();
    assertThat(all()).containsExactly("cheap-1");
    Eventually.within(TIMEOUT, "not asked again", () -> sync.known("cheap").failed().isPresent());
    Look look = catalog.list(Optional.empty());
    assertThat(look.failures()).isEmpty();
    assertThat(look.offers().getFirst().confidence()).isEqualTo(0.5);
    assertThat(cheap.calls).hasValue(before + 1);
    // It is left alone for a while; then it is asked once more, and is back.
    clock.advance(Duration.ofSeconds(9));
    all();
    assertThat(cheap.calls).hasValue(before + 1);
    cheap.away = false;
    cheap.offers = List.of(TestOffers.of("cheap", "2"));
    clock.advance(Duration.ofSeconds(2));
    Eventually.within(TIMEOUT, "not back", () -> all().equals(List.of("cheap-2")));
    assertThat(cheap.calls).hasValue(before + 2);
  }

  @Test
  void ofAProviderThatNeverAnsweredItIsSaidWhy() {
    // The others are listed; the reason is one that anybody may know; it is not asked each time.
    cheap.away = true;
    dear.offers = List.of(TestOffers.of("dear", "1"));
    for (int i = 0; i < 5; i++) {
      Look look = catalog.list(Optional.empty());
      assertThat(ids(look)).containsExactly("dear-1");
      assertThat(look.failures()).containsExactly(Map.entry("cheap", "could not be reached"));
    }
    assertThat(cheap.calls).hasValue(1);
    assertThat(catalog.list(Optional.of("dear")).failures()).isEmpty();
  }

  @Test
  void whatGetsOldIsServedWhileItIsAskedForAgain() {
    // From three quarters of its time on the old list is served, and one question is under way.
    cheap.offers = List.of(TestOffers.of("cheap", "1"));
    assertThat(all()).containsExactly("cheap-1");
    clock.advance(Duration.ofSeconds(44));
    all();
    assertThat(cheap.calls).hasValue(1);
    cheap.offers = List.of(TestOffers.of("cheap", "2"));
    cheap.open = new CountDownLatch(1);
    clock.advance(Duration.ofSeconds(2));
    for (int i = 0; i < 20; i++) {
      assertThat(all()).containsExactly("cheap-1");
    }
    cheap.open.countDown();
    Eventually.within(TIMEOUT, "never new", () -> all().equals(List.of("cheap-2")));
    assertThat(cheap.calls).hasValue(2);
  }

  @Test
  void whatIsGoneCanBeFoundForADay() {
    // Not listed, but whoever kept its id learns what it was; after a day nobody knows it.
    cheap.offers = List.of(TestOffers.of("cheap", "1"), TestOffers.of("cheap", "2"));
    assertThat(all()).hasSize(2);
    cheap.offers = List.of(TestOffers.of("cheap", "2"));
    sync.sync("cheap");
    assertThat(all()).containsExactly("cheap-2");
    Listed gone = catalog.find("cheap-1").orElseThrow();
    assertThat(gone.available()).isFalse();
    assertThat(gone.pricePerHourMicros()).isEqualTo(400_000);
    assertThat(catalog.find("cheap-3")).isEmpty();
    clock.advance(Duration.ofHours(25));
    assertThat(catalog.find("cheap-1")).isEmpty();
  }

  @Test
  void whatFailsAgainAndAgainIsHiddenOnAllServers() {
    // Three failures hide it here at once, and on another server at its next look; then it is back.
    cheap.offers = List.of(TestOffers.of("cheap", "1"), TestOffers.of("cheap", "2"));
    Catalog elsewhere = catalog(new NodeSync(database, providers, clock), providers);
    assertThat(ids(elsewhere.list(Optional.empty()))).hasSize(2);
    OfferKey offer = new OfferKey("cheap", "1");
    catalog.failed(offer, "RTX 4090", Failure.SSH_TIMEOUT, "no answer");
    assertThat(catalog.find("cheap-1").orElseThrow().confidence()).isCloseTo(0.7, within(1e-9));
    catalog.failed(offer, "RTX 4090", Failure.STALE_INVENTORY, "gone");
    catalog.failed(offer, "RTX 4090", Failure.UNKNOWN, "x".repeat(10_000));
    assertThat(all()).containsExactly("cheap-2");
    assertThat(catalog.find("cheap-1").orElseThrow().suppressed()).isTrue();
    assertThat(catalog.health(Optional.empty(), Optional.empty()).offers())
        .singleElement()
        .satisfies(report -> assertThat(report.lastFailure()).isEqualTo(Failure.UNKNOWN));
    clock.advance(Duration.ofSeconds(1));
    assertThat(ids(elsewhere.list(Optional.empty()))).containsExactly("cheap-2");
    clock.advance(Duration.ofMinutes(31));
    sync.sync("cheap");
    assertThat(all()).containsExactly("cheap-1", "cheap-2");
    clock.advance(Duration.ofHours(2));
    catalog.worked(offer);
    Integer kept =
        database.read(
            tx -> tx.query("select count(*) from offer_outcome").mapTo(Integer.class).one());
    assertThat(kept).isEqualTo(1);
  }

  @Test
  void ourOwnMachinesAreDivided() {
    // One for each count that a machine can give now; its price is the price book's for that count;
    // a lease that wants it is placed.
    Providers own =
        new Providers(Map.of("local", new SimProvider("local", clock, SimScript::prompt, 2, 4)));
    NodeSync look = new NodeSync(database, own, clock);
    database.run(tx ->
        PriceStore.put(
            tx,
            new Price(
                Optional.empty(),
                "H200",
                Optional.empty(),
                Tier.ON_DEMAND,
                4,
                3_000_000,
                Instant.EPOCH)));
    Catalog local = catalog(look, own);
    look.sync("local");
    clock.advance(Duration.ofSeconds(1));
    assertThat(ids(local.list(Optional.empty())))
        .containsExactlyInAnyOrder("local-H200", "local-H200-x2", "local-H200-x4");
    Listed four = local.find("local-H200-x4").orElseThrow();
    assertThat(four.pricePerHourMicros()).isEqualTo(12_000_000);
    assertThat(four.memoryGbPerGpu()).isEqualTo(141);
    Want want =
        new Want(
            "",
            "H200",
            4,
            Optional.of(four.offer().region()),
            Tier.ON_DEMAND,
            Optional.of(OfferKey.of(four.offer())));
    List<Room> rooms = database.read(tx -> RoomStore.suiting(tx, want));
    Placement.Choice choice = Placement.choose(want, rooms).orElseThrow();
    database.run(tx -> {
      tx.update("alter table gpu_claim drop constraint gpu_claim_lease_id_fkey").execute();
      NodeStore.claim(
          tx,
          List.of(
              new NodeStore.Claim(
                  new java.util.UUID(0, 7), "local", choice.room().node(), choice.gpuIds()),
              new NodeStore.Claim(
                  new java.util.UUID(0, 8), "local", "node-1", List.of("node-1-gpu-0"))));
    });
    clock.advance(Duration.ofSeconds(1));
    assertThat(ids(local.list(Optional.empty())))
        .containsExactlyInAnyOrder("local-H200", "local-H200-x2");
    Listed taken = local.find("local-H200-x4").orElseThrow();
    assertThat(taken.available()).isFalse();
  }

  @Test
  void memoryIsWhatPeopleSay() {
    // Drivers keep some of it for themselves; a kind with two sizes keeps both.
    cheap.offers =
        List.of(
            TestOffers.of("cheap", "1", Gpu.called("RTX 4090", 24_564), 1, "1"),
            TestOffers.of("cheap", "2", Gpu.called("L40S", 46_068), 1, "1"),
            TestOffers.of("cheap", "3", Gpu.called("A100", 40_960), 1, "1"),
            TestOffers.of("cheap", "4", Gpu.called("RTX 4090", 49_140), 1, "1"),
            TestOffers.of("cheap", "5", Gpu.called("Quantum", 10), 1, "1"));
    assertThat(catalog.list(Optional.empty()).offers())
        .extracting(Listed::memoryGbPerGpu)
        .containsExactly(24, 48, 40, 48, 1);
  }

  @Test
  void onlyWhatChangedIsWritten() {
    // Seen again is no change; a new price is one row; another server's rows are understood.
    List<Offer> offers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      offers.add(TestOffers.of("cheap", "offer-" + i));
    }
    cheap.offers = List.copyOf(offers);
    sync.sync("cheap");
    Map<String, String> first = rows();
    clock.advance(Duration.ofSeconds(10));
    sync.sync("cheap");
    assertThat(rows()).isEqualTo(first);
    offers.set(7, TestOffers.of("cheap", "offer-7", H100, 1, "9"));
    offers.removeLast();
    cheap.offers = List.copyOf(offers);
    NodeSync elsewhere = new NodeSync(database, providers, clock);
    elsewhere.sync("cheap");
    Map<String, String> second = rows();
    assertThat(second).hasSize(49);
    assertThat(second.entrySet().stream().filter(row -> !first.containsValue(row.getValue())))
        .singleElement()
        .satisfies(row -> assertThat(row.getKey()).isEqualTo("offer-7"));
    // This server did not write that: it looks afresh, and leaves it.
    sync.sync("cheap");
    assertThat(rows()).isEqualTo(second);
    offers.set(7, TestOffers.of("cheap", "offer-7"));
    cheap.offers = List.copyOf(offers);
    sync.sync("cheap");
    assertThat(rows().get("offer-7")).isNotEqualTo(second.get("offer-7"));
  }

  /** Each offer's row, by the transaction that wrote it. */
  private Map<String, String> rows() {
    record Row(String id, String version) {}
    List<Row> rows =
        database.read(tx ->
            tx.query("select id, id || ' ' || xmin::text as version from offer order by id")
                .map(row ->
                    new Row(
                        row.getColumn("id", String.class), row.getColumn("version", String.class)))
                .list());
    Map<String, String> byId = new LinkedHashMap<>();
    rows.forEach(row -> byId.put(row.id(), row.version()));
    return byId;
  }

  @Test
  void aPlacingReadsTheCheapestThatSuit() {
    // Of many offers only the cheapest few hundred are read, and one alone when it is named.
    List<Offer> offers = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      offers.add(
          TestOffers.of(
              "cheap", "offer-" + i, H100, i % 2 == 0 ? 1 : 2, 1 + (i * 7 % 1000) + ".00"));
    }
    cheap.offers = offers;
    sync.sync("cheap");
    Want two = new Want("", "H100", 2, Optional.empty(), Tier.ON_DEMAND);
    List<Room> rooms = database.read(tx -> RoomStore.suiting(tx, two));
    assertThat(rooms).hasSize(200).allMatch(room -> room.offer().gpuCount() == 2);
    long cheapest =
        offers.stream()
            .filter(offer -> offer.gpuCount() == 2)
            .mapToLong(offer -> offer.pricePerGpuHour().micros())
            .min()
            .orElseThrow();
    assertThat(Placement.cheapest(two, rooms)).contains(cheapest);
    Want named =
        new Want(
            "",
            "H100",
            1,
            Optional.empty(),
            Tier.ON_DEMAND,
            Optional.of(new OfferKey("cheap", "offer-998")));
    List<Room> one = database.read(tx -> RoomStore.suiting(tx, named));
    assertThat(one).singleElement().matches(room -> room.offer().id().equals("offer-998"));
    Want nowhere = new Want("", "H100", 2, Optional.of(new Region("moon")), Tier.ON_DEMAND);
    List<Room> none = database.read(tx -> RoomStore.suiting(tx, nowhere));
    assertThat(none).isEmpty();
    Availability there = database.read(tx -> RoomStore.availability(tx, "H100"));
    assertThat(there.gpusTotal()).isEqualTo(1500);
    assertThat(there.gpusFree()).isEqualTo(1500);
    List<PriceList.Row> prices = new PriceList(database, clock).list();
    assertThat(prices)
        .filteredOn(row -> row.gpuModel().equals("H100") && row.gpuCount() == 2)
        .singleElement()
        .satisfies(row -> assertThat(row.available()).isEqualTo(500));
  }
}
