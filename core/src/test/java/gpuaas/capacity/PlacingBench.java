package gpuaas.capacity;

import gpuaas.catalog.GpuTypeStore;
import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.Json;
import gpuaas.provider.Providers;
import gpuaas.spi.Gpu;
import gpuaas.spi.Offer;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What it costs to write, and to place among, 5,000 offers of one GPU model. */
public final class PlacingBench {

  private static final int OFFERS = 5_000;
  private static final int ROUNDS = 60;
  private static final Gpu MODEL = Gpu.called("RTX 5090", 32_607);

  private PlacingBench() {}

  /** Prints the medians. */
  public static void run(Database database) {
    TestClock clock = new TestClock();
    TestMarket market = new TestMarket(clock);
    NodeSync sync = new NodeSync(database, new Providers(Map.of("bench", market)), clock);
    List<Offer> offers = new ArrayList<>();
    for (int i = 0; i < OFFERS; i++) {
      offers.add(
          TestOffers.of(
              "bench", "offer-" + i, MODEL, 1 << (i % 4), 1 + (i * 7919L) % 5000 + ".50"));
    }
    market.offers = List.copyOf(offers);
    measure("write 5,000 new offers", 1, () -> sync.sync("bench"));
    database.run(tx -> tx.update("analyze offer").execute());
    measure(
        "look at 5,000 unchanged offers",
        ROUNDS,
        () -> {
          clock.advance(Duration.ofSeconds(10));
          sync.sync("bench");
        });
    measure(
        "look at 5,000, one of them changed",
        ROUNDS,
        () -> {
          int turn = (int) (clock.instant().getEpochSecond() % OFFERS);
          offers.set(turn, offers.get(turn).withGpuCount(8));
          market.offers = List.copyOf(offers);
          clock.advance(Duration.ofSeconds(7));
          sync.sync("bench");
        });
    Want any = new Want("", MODEL.model(), 2, Optional.empty(), Tier.ON_DEMAND);
    Want named =
        new Want(
            "",
            MODEL.model(),
            2,
            Optional.empty(),
            Tier.ON_DEMAND,
            Optional.of(new OfferKey("bench", "offer-1")));
    measure("all bodies, as was done before", ROUNDS, () -> database.read(PlacingBench::bodies));
    measure(
        "rooms for a want of any offer",
        ROUNDS,
        () -> database.read(tx -> Placement.choose(any, RoomStore.suiting(tx, any))));
    measure(
        "rooms for a want of one offer",
        ROUNDS,
        () -> database.read(tx -> Placement.choose(named, RoomStore.suiting(tx, named))));
    measure(
        "how much there is of the model",
        ROUNDS,
        () -> database.read(tx -> RoomStore.availability(tx, MODEL.model())));
    measure("list of prices", ROUNDS, () -> new PriceList(database, clock).list());
    measure("kinds of GPUs", ROUNDS, () -> database.read(GpuTypeStore::list));
  }

  private static List<Offer> bodies(gpuaas.db.Tx tx) {
    return tx
        .query("select body::text from offer where gpu_model = :model limit 10000")
        .bind("model", MODEL.model())
        .mapTo(String.class)
        .stream()
        .map(body -> Json.read(body, Offer.class))
        .toList();
  }

  private static void measure(String what, int rounds, Runnable work) {
    double[] millis = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      long start = System.nanoTime();
      work.run();
      millis[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(millis);
    System.out.printf("%-40s %9.2f ms%n", what, millis[rounds / 2]);
  }
}
