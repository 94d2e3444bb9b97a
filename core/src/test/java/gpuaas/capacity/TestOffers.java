package gpuaas.capacity;

import gpuaas.spi.Assurance;
import gpuaas.spi.Gpu;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import gpuaas.spi.Resources;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/** Offers of markets, each a whole machine. */
final class TestOffers {

  private TestOffers() {}

  /** One RTX 4090 for 40 cents. */
  static Offer of(String provider, String id) {
    return with(provider, id, Optional.empty(), Optional.empty());
  }

  /** The same, with what its provider says of it. */
  static Offer with(
      String provider, String id, Optional<String> confidence, Optional<String> reliability) {
    return of(
        provider,
        id,
        Gpu.called("RTX 4090", 24_564),
        1,
        "0.40",
        new Offer.Facts(
            "California, US",
            reliability.map(BigDecimal::new),
            confidence.map(BigDecimal::new),
            Optional.empty(),
            "machine-" + id,
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  /** So many GPUs of a kind, at a price for each. */
  static Offer of(String provider, String id, Gpu gpu, int count, String dollars) {
    return of(provider, id, gpu, count, dollars, Offer.Facts.NONE);
  }

  private static Offer of(
      String provider, String id, Gpu gpu, int count, String dollars, Offer.Facts facts) {
    return new Offer(
        id,
        provider,
        new Region("us-california"),
        gpu,
        count,
        count,
        Tier.ON_DEMAND,
        Money.usd(dollars),
        new Resources(8000, 32 * 1024, 100 * 1024),
        new Assurance(Assurance.Isolation.MACHINE, Set.of(), Assurance.GpuMode.SIMULATED),
        Instant.parse("2026-01-01T00:00:00Z"),
        facts);
  }
}
