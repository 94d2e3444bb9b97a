package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.spi.Offer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What came of offers until now, and how likely each can be had because of it. Pure: the same
 * outcomes at the same time say the same.
 */
final class OfferHealth {

  private final CatalogRules.Confidence rules;
  private final Instant now;
  private final Map<OfferKey, List<Outcome>> failures = new HashMap<>();
  private final Map<OfferKey, List<Outcome>> creates = new HashMap<>();
  private final Map<Kind, Set<OfferKey>> failedOffers = new HashMap<>();

  /** A GPU model at a provider. */
  record Kind(String provider, String gpuModel) {}

  /** How long an offer is hidden. */
  record Suppression(Instant from, Instant until) {}

  /**
   * @param outcomes oldest first
   */
  OfferHealth(List<Outcome> outcomes, Instant now, CatalogRules.Confidence rules) {
    this.rules = rules;
    this.now = now;
    for (Outcome outcome : outcomes) {
      OfferKey offer = outcome.offer();
      if (isWithin(outcome, rules.historyFor()) && saysWhetherItCanBeHad(outcome)) {
        creates.computeIfAbsent(offer, _ -> new ArrayList<>()).add(outcome);
      }
      if (outcome.failure().isEmpty()) {
        continue;
      }
      failures.computeIfAbsent(offer, _ -> new ArrayList<>()).add(outcome);
      if (isWithin(outcome, rules.gpuWindow())) {
        failedOffers
            .computeIfAbsent(new Kind(offer.provider(), outcome.gpuModel()), _ -> new HashSet<>())
            .add(offer);
      }
    }
  }

  /** A machine that broke later was there to be had. */
  private static boolean saysWhetherItCanBeHad(Outcome outcome) {
    return outcome
        .failure()
        .map(why -> why == Catalog.Failure.STALE_INVENTORY || why == Catalog.Failure.UNKNOWN)
        .orElse(true);
  }

  private boolean isWithin(Outcome outcome, Duration window) {
    return outcome.at().isAfter(now.minus(window));
  }

  /**
   * How likely an offer can be had, from 0 to 1: what its provider says, or what creates have shown
   * where the provider can only guess; less when that is old; less for each failure.
   */
  double confidence(Offer offer) {
    return said(offer) * agedShare(offer.seenAt()) * failureShare(keyOf(offer));
  }

  private Keyed keyOf(Offer offer) {
    return new Keyed(OfferKey.of(offer), new Kind(offer.provider(), offer.gpu().model()));
  }

  private record Keyed(OfferKey offer, Kind kind) {}

  private double said(Offer offer) {
    Offer.Facts facts = offer.facts();
    Optional<Double> said = facts.confidence().map(Number::doubleValue);
    // A provider that knows nothing of its hosts says the same of all: it guesses.
    boolean guessed = said.isPresent() && facts.reliability().isEmpty();
    double confidence =
        guessed ? shown(OfferKey.of(offer)).or(() -> said).orElse(1.0) : said.orElse(1.0);
    return Math.clamp(confidence, 0, 1);
  }

  /** The share of creates that succeeded; half of it when the last one failed. */
  private Optional<Double> shown(OfferKey offer) {
    List<Outcome> all = creates.getOrDefault(offer, List.of());
    if (all.isEmpty()) {
      return Optional.empty();
    }
    double share =
        all.stream().filter(one -> one.failure().isEmpty()).count() / (double) all.size();
    boolean lastFailed = all.getLast().failure().isPresent();
    return Optional.of(Math.clamp(lastFailed ? share / 2 : share, share(rules.floorPercent()), 1));
  }

  private double agedShare(Instant seenAt) {
    Duration age = Duration.between(seenAt, now);
    if (age.compareTo(rules.agesFrom()) <= 0) {
      return 1;
    }
    double aged = share(rules.agedPercent());
    if (age.compareTo(rules.agesTo()) >= 0) {
      return aged;
    }
    double way =
        (double) age.minus(rules.agesFrom()).toMillis()
            / rules.agesTo().minus(rules.agesFrom()).toMillis();
    return 1 - way * (1 - aged);
  }

  /** What failures leave of the confidence in an offer. */
  double failureShare(OfferKey offer, String gpuModel) {
    return failureShare(new Keyed(offer, new Kind(offer.provider(), gpuModel)));
  }

  private double failureShare(Keyed keyed) {
    int recent = recentFailures(keyed.offer());
    boolean suspect = isSuspect(keyed.kind());
    if (recent == 0 && !suspect) {
      return 1;
    }
    double left =
        Math.pow(share(rules.failurePercent()), recent) * (suspect ? share(rules.gpuPercent()) : 1);
    return Math.max(share(rules.floorPercent()), left);
  }

  private int recentFailures(OfferKey offer) {
    return (int)
        failures.getOrDefault(offer, List.of()).stream()
            .filter(failure -> isWithin(failure, rules.failureWindow()))
            .count();
  }

  private boolean isSuspect(Kind kind) {
    return failedOffers.getOrDefault(kind, Set.of()).size() >= rules.gpuFailedOffers();
  }

  /** How long an offer is hidden now, if it is. */
  Optional<Suppression> suppression(OfferKey offer) {
    List<Outcome> all = failures.getOrDefault(offer, List.of());
    Optional<Suppression> running = Optional.empty();
    for (int i = rules.suppressAfter() - 1; i < all.size(); i++) {
      Instant at = all.get(i).at();
      Instant first = all.get(i - rules.suppressAfter() + 1).at();
      if (first.isAfter(at.minus(rules.failureWindow()))) {
        Instant from =
            running
                .filter(hidden -> !hidden.until().isBefore(at))
                .map(Suppression::from)
                .orElse(at);
        running = Optional.of(new Suppression(from, at.plus(rules.suppressedFor())));
      }
    }
    return running.filter(hidden -> now.isBefore(hidden.until()));
  }

  /** All offers that failed, and all models of which some did. */
  Catalog.Health report(Optional<String> provider, Optional<String> gpuModel) {
    List<Catalog.OfferReport> offers =
        failures.entrySet().stream()
            .map(entry -> report(entry.getKey(), entry.getValue()))
            .filter(report -> provider.map(report.offer().provider()::equals).orElse(true))
            .filter(report -> gpuModel.map(report.gpuModel()::equals).orElse(true))
            .sorted(Comparator.comparing(Catalog.OfferReport::id))
            .toList();
    List<Catalog.GpuReport> gpus =
        failedOffers.entrySet().stream()
            .map(entry ->
                new Catalog.GpuReport(
                    entry.getKey().provider(),
                    entry.getKey().gpuModel(),
                    entry.getValue().size(),
                    isSuspect(entry.getKey()),
                    share(rules.gpuPercent())))
            .sorted(
                Comparator.comparing(Catalog.GpuReport::provider)
                    .thenComparing(Catalog.GpuReport::gpuModel))
            .toList();
    return new Catalog.Health(offers, gpus);
  }

  private Catalog.OfferReport report(OfferKey offer, List<Outcome> failed) {
    Outcome last = failed.getLast();
    Optional<Suppression> hidden = suppression(offer);
    return new Catalog.OfferReport(
        Catalog.id(offer),
        offer,
        last.gpuModel(),
        recentFailures(offer),
        hidden.map(Suppression::from),
        hidden.map(Suppression::until),
        hidden.isPresent() ? 0 : failureShare(offer, last.gpuModel()),
        last.at(),
        last.failure().orElseThrow(),
        last.reason());
  }

  private static double share(int percent) {
    return percent / 100.0;
  }
}
