package gpuaas.catalog;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** All prices. Pure: the same want at the same time has the same price. */
public record PriceBook(List<Price> prices) {

  public PriceBook {
    prices = List.copyOf(prices);
  }

  /**
   * What a GPU of this want costs for an hour, in millionths: the most specific price in force, by
   * product, then region, then number of GPUs; of those the latest. Empty: nobody priced it.
   */
  public Optional<Long> find(Want want, Instant now) {
    return prices.stream()
        .filter(price -> price.isFor(want, now))
        .max(Price.MOST_SPECIFIC)
        .map(Price::pricePerGpuHourMicros);
  }

  /** The prices in force, for a public list: of those for the same, the latest. */
  public List<Price> list(Instant now) {
    List<Price> begun = prices.stream().filter(price -> !price.from().isAfter(now)).toList();
    return begun.stream()
        .filter(price ->
            begun.stream()
                .noneMatch(
                    other -> other.isForTheSameAs(price) && other.from().isAfter(price.from())))
        .toList();
  }
}
