package gpuaas.spi;

import java.time.Instant;

/**
 * A priced chance to get an instance, now, from a provider.
 *
 * @param id the provider's id of this offer
 * @param provider the provider's name in this deployment
 * @param gpuCount how many GPUs it gives
 * @param gpuCountMost how many it could give if nobody else had any; more than {@code gpuCount} for
 *     an offer that can be divided
 * @param pricePerGpuHour what the provider asks for one GPU for one hour
 * @param perGpu what comes with each GPU
 * @param seenAt when the provider said so
 * @param facts what else the provider tells of it
 */
public record Offer(
    String id,
    String provider,
    Region region,
    Gpu gpu,
    int gpuCount,
    int gpuCountMost,
    Tier tier,
    Money pricePerGpuHour,
    Resources perGpu,
    Assurance assurance,
    Instant seenAt,
    OfferFacts facts) {

  public Offer {
    facts = facts == null ? OfferFacts.NONE : facts; // rows of before these existed have none
    if (gpuCount < 1 || gpuCountMost < gpuCount) {
      throw new IllegalArgumentException(
          "an offer of " + gpuCount + " to " + gpuCountMost + " GPUs is none");
    }
  }

  /** An offer of which nothing else is told. */
  public Offer(
      String id,
      String provider,
      Region region,
      Gpu gpu,
      int gpuCount,
      int gpuCountMost,
      Tier tier,
      Money pricePerGpuHour,
      Resources perGpu,
      Assurance assurance,
      Instant seenAt) {
    this(
        id,
        provider,
        region,
        gpu,
        gpuCount,
        gpuCountMost,
        tier,
        pricePerGpuHour,
        perGpu,
        assurance,
        seenAt,
        OfferFacts.NONE);
  }

  /** The same offer, for another number of GPUs. */
  public Offer withGpuCount(int count) {
    return new Offer(
        id,
        provider,
        region,
        gpu,
        count,
        Math.max(count, gpuCountMost),
        tier,
        pricePerGpuHour,
        perGpu,
        assurance,
        seenAt,
        facts);
  }
}
