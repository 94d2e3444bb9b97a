package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.capacity.Catalog.Listed;
import gpuaas.spi.Offer;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An offer on the wire.
 *
 * @param vramGb of one GPU
 * @param fetchedAt when its provider said so
 * @param maxDurationHours until its host takes it away; 0: not limited
 * @param availabilityConfidence how likely it can really be had
 */
record OfferView(
    String id,
    String provider,
    String providerId,
    String gpuType,
    int gpuCount,
    int vramGb,
    int totalVramGb,
    BigDecimal pricePerHour,
    String location,
    BigDecimal reliability,
    boolean available,
    long maxDurationHours,
    Instant fetchedAt,
    BigDecimal availabilityConfidence,
    Optional<BigDecimal> cudaVersion,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String machineId,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean interruptible,
    Optional<BigDecimal> minBid) {

  private static final Pattern PLACE =
      Pattern.compile("([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-.+");

  static OfferView of(Listed listed, Instant now) {
    Offer offer = listed.offer();
    Offer.Facts facts = offer.facts();
    return new OfferView(
        listed.id(),
        offer.provider(),
        providerId(offer.id()),
        offer.gpu().model(),
        listed.gpuCount(),
        listed.memoryGbPerGpu(),
        listed.memoryGbPerGpu() * listed.gpuCount(),
        ShopperJson.dollars(listed.pricePerHourMicros()),
        location(offer),
        reliability(offer),
        listed.available(),
        facts.endsAt().map(end -> Math.max(1, Duration.between(now, end).toHours())).orElse(0L),
        offer.seenAt(),
        BigDecimal.valueOf(listed.confidence()).setScale(4, RoundingMode.HALF_UP),
        facts.cudaVersion(),
        facts.machine(),
        offer.tier() == Tier.SPOT,
        facts.leastBidPerHour().map(bid -> ShopperJson.dollars(bid.micros())));
  }

  /** Where it is in its provider's words, or else in ours. */
  static String location(Offer offer) {
    return offer.facts().place().isEmpty() ? offer.region().code() : offer.facts().place();
  }

  /** Our own machines are as reliable as we are. */
  static BigDecimal reliability(Offer offer) {
    return offer.facts().reliability().orElse(BigDecimal.ONE);
  }

  /** An id that begins with a place names the place. */
  private static String providerId(String offerId) {
    Matcher matcher = PLACE.matcher(offerId);
    return matcher.matches() ? matcher.group(1) : offerId;
  }
}
