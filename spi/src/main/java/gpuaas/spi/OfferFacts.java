package gpuaas.spi;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Optional;

/**
 * What a provider tells of an offer beyond what every offer has, for people who choose by it. What
 * it does not tell is empty.
 *
 * @param place where it is in the provider's words, such as {@code California, US}
 * @param reliability of its host, from 0 to 1
 * @param cudaVersion the newest that its driver can do
 * @param machine the provider's name of the machine, the same in all offers of it
 * @param leastBidPerHour for the whole offer, if it may also be had by bidding
 * @param endsAt when its host takes it away from the market
 * @param diskPerGbMonth what each further gigabyte of disk costs for 30 days
 */
public record OfferFacts(
    String place,
    Optional<BigDecimal> reliability,
    Optional<BigDecimal> cudaVersion,
    String machine,
    Optional<Money> leastBidPerHour,
    Optional<Instant> endsAt,
    Optional<Money> diskPerGbMonth) {

  /** Nothing is told. */
  public static final OfferFacts NONE =
      new OfferFacts(
          "",
          Optional.empty(),
          Optional.empty(),
          "",
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
}
