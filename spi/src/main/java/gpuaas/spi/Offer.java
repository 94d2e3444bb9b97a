package gpuaas.spi;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Optional;

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
    Facts facts) {

  private static final int MIB_PER_GB = 1024;
  private static final long HOURS_A_MONTH = 720;

  public Offer {
    facts = facts == null ? Facts.NONE : facts; // rows of before these existed have none
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
        Facts.NONE);
  }

  /**
   * What all of it costs for an hour, with so much disk at least; the disk that comes with it has
   * no price of its own. Empty: it is not told what more disk costs.
   *
   * @param diskGb 0: what comes with it
   */
  public Optional<Money> pricePerHour(int diskGb) {
    Money plain = pricePerGpuHour.times(gpuCount);
    int comesGb = Math.ceilDiv(Math.multiplyExact(perGpu.diskMib(), gpuCount), MIB_PER_GB);
    if (diskGb <= comesGb) {
      return Optional.of(plain);
    }
    return facts
        .diskPerGbMonth()
        .filter(price -> price.currency().equals(plain.currency()))
        .map(price ->
            new Money(
                plain.micros()
                    + Math.ceilDiv(
                        Math.multiplyExact(price.micros(), diskGb - comesGb), HOURS_A_MONTH),
                plain.currency()));
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

  /** The same offer, seen at another time. */
  public Offer withSeenAt(Instant at) {
    return new Offer(
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
        at,
        facts);
  }

  /**
   * What a provider tells of an offer beyond what every offer has, for people who choose by it.
   * What it does not tell is empty.
   *
   * @param place where it is in the provider's words, such as {@code California, US}
   * @param reliability of its host, from 0 to 1
   * @param confidence how likely it can really be had, from 0 to 1, as experience with the provider
   *     says
   * @param cudaVersion the newest that its driver can do
   * @param machine the provider's name of the machine, the same in all offers of it
   * @param leastBidPerHour for the whole offer, if it may also be had by bidding
   * @param endsAt when its host takes it away from the market
   * @param diskPerGbMonth what each further gigabyte of disk costs for 30 days
   */
  public record Facts(
      String place,
      Optional<BigDecimal> reliability,
      Optional<BigDecimal> confidence,
      Optional<BigDecimal> cudaVersion,
      String machine,
      Optional<Money> leastBidPerHour,
      Optional<Instant> endsAt,
      Optional<Money> diskPerGbMonth) {

    /** Nothing is told. */
    public static final Facts NONE =
        new Facts(
            "",
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            "",
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
  }
}
