package gpuaas.market;

import gpuaas.spi.Offer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** The offers of a market, kept for a while, but for those that turned out to be gone. */
final class OfferShelf {

  private final MarketApi api;
  private final InstantSource clock;
  private final Duration ageMost;
  private final int most;
  private List<Offer> offers = List.of();
  private Optional<Instant> seenAt = Optional.empty();

  OfferShelf(MarketApi api, InstantSource clock, Duration ageMost, int most) {
    this.api = api;
    this.clock = clock;
    this.ageMost = ageMost;
    this.most = most;
  }

  synchronized List<Offer> get() {
    Instant now = clock.instant();
    if (seenAt.map(at -> !now.isBefore(at.plus(ageMost))).orElse(true)) {
      offers = api.offers(most);
      seenAt = Optional.of(now);
    }
    return offers;
  }

  /** A machine is rented whole: false when this one is known, and has another number of GPUs. */
  synchronized boolean mayBeWhole(Offer wanted) {
    return offers.stream()
        .noneMatch(one -> one.id().equals(wanted.id()) && one.gpuCount() != wanted.gpuCount());
  }

  /** This one cannot be had, or not for that. */
  synchronized void drop(String offer) {
    offers = offers.stream().filter(one -> !one.id().equals(offer)).toList();
  }
}
