package gpuaas.capacity;

import gpuaas.catalog.PriceBook;
import gpuaas.catalog.PriceStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.spi.Gpu;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What can be had at which price, and how often at this moment: the public price list. */
public final class PriceList {

  private static final List<Integer> COUNTS = List.of(1, 2, 4, 8);

  private final Database database;
  private final InstantSource clock;

  public PriceList(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * So many GPUs of a kind in a place.
   *
   * @param pricePerHourMicros for all of them together
   * @param available how often that can be had now
   */
  public record Row(
      String gpuModel,
      int gpuCount,
      Region region,
      Tier tier,
      long pricePerHourMicros,
      int available) {}

  /** The list as of now, by model, count, region, tier. */
  public List<Row> list() {
    Instant now = clock.instant();
    return database.read(tx -> of(RoomStore.kinds(tx), PriceStore.all(tx), now));
  }

  /**
   * The list for these rooms and prices. What has no price is not for sale; nor is here what has no
   * GPU.
   */
  public static List<Row> of(List<Room> rooms, PriceBook prices, Instant now) {
    Map<String, List<Room>> byModel =
        rooms.stream()
            .filter(room -> !Gpu.isCpuPlace(room.offer().gpu().model()))
            .collect(
                Collectors.groupingBy(
                    room -> room.offer().gpu().model(), TreeMap::new, Collectors.toList()));
    List<Row> rows = new ArrayList<>();
    byModel.forEach((model, of) -> {
      for (String region :
          of.stream()
              .map(room -> room.offer().region().code())
              .collect(Collectors.toCollection(TreeSet::new))) {
        for (Tier tier : Tier.values()) {
          rows.addAll(rows(model, new Region(region), tier, of, prices, now));
        }
      }
    });
    rows.sort(
        Comparator.comparing(Row::gpuModel)
            .thenComparingInt(Row::gpuCount)
            .thenComparing(row -> row.region().code())
            .thenComparing(row -> row.tier().name()));
    return rows;
  }

  private static List<Row> rows(
      String model, Region region, Tier tier, List<Room> rooms, PriceBook prices, Instant now) {
    List<Row> rows = new ArrayList<>();
    for (int count : COUNTS) {
      Want want = new Want("", model, count, Optional.of(region), tier);
      Optional<Long> price = prices.find(want, now).or(() -> Placement.cheapest(want, rooms));
      if (price.isPresent() && Placement.couldEverFit(want, rooms)) {
        int available =
            rooms.stream()
                .filter(room -> Placement.suits(want, room))
                .mapToInt(room -> room.freeGpuIds().size() / count)
                .sum();
        rows.add(new Row(model, count, region, tier, price.get() * count, available));
      }
    }
    return rows;
  }
}
