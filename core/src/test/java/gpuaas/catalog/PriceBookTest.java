package gpuaas.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which price holds: the most specific, then the latest that is in force. */
class PriceBookTest {

  // sku, model, region, tier, least count, price, from
  private static final String PRICES =
      """
      -      H200  -     ON_DEMAND  1  100  2026-01-01
      -      H200  -     ON_DEMAND  1  110  2026-06-01
      -      H200  -     ON_DEMAND  8   90  2026-01-01
      -      H200  east  ON_DEMAND  1  120  2026-01-01
      slice  H200  -     ON_DEMAND  1  150  2026-01-01
      slice  H200  west  ON_DEMAND  1  160  2026-01-01
      -      H200  -     SPOT       1   60  2026-01-01
      """;

  private static PriceBook book() {
    return new PriceBook(
        PRICES
            .lines()
            .map(line -> {
              String[] cells = line.split(" +");
              return new Price(
                  optional(cells[0]),
                  cells[1],
                  optional(cells[2]).map(Region::new),
                  Tier.valueOf(cells[3]),
                  Integer.parseInt(cells[4]),
                  Long.parseLong(cells[5]),
                  date(cells[6]));
            })
            .toList());
  }

  private static Optional<String> optional(String cell) {
    return cell.equals("-") ? Optional.empty() : Optional.of(cell);
  }

  private static Instant date(String day) {
    return Instant.parse(day + "T00:00:00Z");
  }

  @ParameterizedTest
  @CsvSource({
    // sku, model, region, tier, count, at, price
    "'',    H200, -,    ON_DEMAND, 1, 2026-02-01, 100",
    "'',    H200, -,    ON_DEMAND, 1, 2026-06-01, 110",
    "'',    H200, -,    ON_DEMAND, 1, 2025-12-31, none",
    "'',    H200, -,    ON_DEMAND, 8, 2026-07-01, 90",
    "'',    H200, east, ON_DEMAND, 8, 2026-07-01, 120",
    "'',    H200, west, ON_DEMAND, 1, 2026-02-01, 100",
    "slice, H200, east, ON_DEMAND, 8, 2026-07-01, 150",
    "slice, H200, west, ON_DEMAND, 1, 2026-07-01, 160",
    "other, H200, west, ON_DEMAND, 1, 2026-07-01, 110",
    "'',    H200, -,    SPOT,      8, 2026-07-01, 60",
    "'',    H100, -,    ON_DEMAND, 1, 2026-07-01, none",
  })
  void theMostSpecificAndLatestWins(
      String sku, String model, String region, Tier tier, int count, String at, String price) {
    Want want = new Want(sku, model, count, optional(region).map(Region::new), tier);
    assertThat(book().find(want, date(at)).map(String::valueOf).orElse("none")).isEqualTo(price);
  }

  @Test
  void theListHasOfEachKindTheOneInForce() {
    List<Long> inSpring = prices(date("2026-03-01"));
    List<Long> inSummer = prices(date("2026-07-01"));
    assertThat(inSpring).containsExactly(100L, 90L, 120L, 150L, 160L, 60L);
    assertThat(inSummer).containsExactly(110L, 90L, 120L, 150L, 160L, 60L);
  }

  private static List<Long> prices(Instant at) {
    return book().list(at).stream().map(Price::pricePerGpuHourMicros).toList();
  }

  @Test
  void productsArePricedFromTheStartAndSpotIsCheaper() {
    try (Database database = TestDatabase.open()) {
      PriceBook book = database.read(PriceStore::all);
      List<Sku> skus = database.read(SkuStore::list);
      for (Sku sku : skus) {
        for (String by : Arrays.asList(sku.sku(), "")) {
          Want want = new Want(by, sku.gpuModel(), 1, Optional.empty(), Tier.ON_DEMAND);
          Want spot = new Want(by, sku.gpuModel(), 1, Optional.empty(), Tier.SPOT);
          long onDemand = book.find(want, Instant.EPOCH).orElseThrow();
          assertThat(onDemand).isLessThanOrEqualTo(sku.pricePerGpuHourMicros());
          assertThat(book.find(spot, Instant.EPOCH).orElseThrow()).isLessThan(onDemand);
        }
      }
      Price later =
          new Price(
              Optional.empty(),
              "H200",
              Optional.of(new Region("x")),
              Tier.SPOT,
              4,
              7,
              Instant.EPOCH);
      database.run(tx -> PriceStore.put(tx, later));
      PriceBook after = database.read(tx -> PriceStore.of(tx, "H200"));
      assertThat(after.prices()).contains(later);
    }
  }
}
