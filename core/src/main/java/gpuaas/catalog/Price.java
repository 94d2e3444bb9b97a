package gpuaas.catalog;

import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;

/**
 * What we ask for a GPU and an hour, from a date on.
 *
 * @param sku for this product only; empty: for the GPU, however it is asked for
 * @param region there only; empty: everywhere
 * @param gpuCountLeast for leases of at least so many GPUs
 */
public record Price(
    Optional<String> sku,
    String gpuModel,
    Optional<Region> region,
    Tier tier,
    int gpuCountLeast,
    long pricePerGpuHourMicros,
    Instant from) {

  /** The more a price says about what it is for, the more it counts; then the latest does. */
  static final Comparator<Price> MOST_SPECIFIC =
      Comparator.comparing((Price price) -> price.sku().isPresent())
          .thenComparing(price -> price.region().isPresent())
          .thenComparingInt(Price::gpuCountLeast)
          .thenComparing(Price::from);

  /** True when this price is in force and can be asked for this. */
  boolean isFor(Want want, Instant now) {
    return gpuModel.equals(want.gpuModel())
        && tier == want.tier()
        && sku.map(own -> own.equals(want.sku())).orElse(true)
        && (region.isEmpty() || region.equals(want.region()))
        && gpuCountLeast <= want.gpuCount()
        && !from.isAfter(now);
  }

  /** True when the two are for the same, so that the later one replaces the other. */
  boolean isForTheSameAs(Price other) {
    return sku.equals(other.sku)
        && gpuModel.equals(other.gpuModel)
        && region.equals(other.region)
        && tier == other.tier
        && gpuCountLeast == other.gpuCountLeast;
  }
}
