package gpuaas.capacity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import gpuaas.capacity.Catalog.Failure;
import gpuaas.catalog.OfferKey;
import gpuaas.spi.Offer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.assertj.core.data.Offset;

/** What failures, creates and age leave of the confidence in an offer. */
class OfferHealthTest {

  private static final CatalogRules.Confidence RULES = CatalogRules.Confidence.standard();
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final Offset<Double> NEARLY = within(1e-9);

  private static OfferHealth health(Outcome... outcomes) {
    return new OfferHealth(List.of(outcomes), NOW, RULES);
  }

  private static Outcome failed(String offer, long minutesAgo) {
    return outcome(offer, Optional.of(Failure.STALE_INVENTORY), Duration.ofMinutes(minutesAgo));
  }

  private static Outcome worked(String offer, long minutesAgo) {
    return outcome(offer, Optional.empty(), Duration.ofMinutes(minutesAgo));
  }

  private static Outcome outcome(String offer, Optional<Failure> failure, Duration ago) {
    return new Outcome(
        new OfferKey("market", offer), "RTX 4090", failure, "no more", NOW.minus(ago));
  }

  private static Offer seen(Duration ago) {
    return TestOffers.of("market", "1").withSeenAt(NOW.minus(ago));
  }

  @Example
  void eachFailureLeavesSevenTenthsForHalfAnHour() {
    assertThat(health().confidence(seen(Duration.ZERO))).isEqualTo(1);
    assertThat(health(failed("1", 10)).confidence(seen(Duration.ZERO))).isCloseTo(0.7, NEARLY);
    assertThat(health(failed("1", 20), failed("1", 10)).confidence(seen(Duration.ZERO)))
        .isCloseTo(0.49, NEARLY);
    assertThat(health(failed("1", 31)).confidence(seen(Duration.ZERO))).isEqualTo(1);
    assertThat(health(failed("2", 10)).confidence(seen(Duration.ZERO))).isEqualTo(1);
  }

  @Example
  void threeFailuresWithinHalfAnHourHideAnOfferForHalfAnHour() {
    OfferKey offer = new OfferKey("market", "1");
    assertThat(health(failed("1", 9), failed("1", 5)).suppression(offer)).isEmpty();
    assertThat(health(failed("1", 50), failed("1", 15), failed("1", 5)).suppression(offer))
        .isEmpty();
    assertThat(health(failed("1", 9), failed("1", 7), failed("1", 5)).suppression(offer))
        .contains(
            new OfferHealth.Suppression(
                NOW.minus(Duration.ofMinutes(5)), NOW.plus(Duration.ofMinutes(25))));
    assertThat(health(failed("1", 45), failed("1", 40), failed("1", 31)).suppression(offer))
        .isEmpty();
    // Who takes it all the same, and fails, keeps it hidden.
    assertThat(
            health(failed("1", 30), failed("1", 25), failed("1", 20), failed("1", 2))
                .suppression(offer))
        .contains(
            new OfferHealth.Suppression(
                NOW.minus(Duration.ofMinutes(20)), NOW.plus(Duration.ofMinutes(28))));
  }

  @Example
  void threeFailedOffersMakeTheWholeModelSuspect() {
    // Three failures of one offer say nothing of the others; of three offers they do, for an hour.
    Offer other = TestOffers.of("market", "other").withSeenAt(NOW);
    assertThat(health(failed("1", 3), failed("1", 2), failed("1", 1)).confidence(other))
        .isEqualTo(1);
    OfferHealth suspect = health(failed("1", 50), failed("2", 40), failed("3", 35));
    assertThat(suspect.confidence(other)).isCloseTo(0.3, NEARLY);
    assertThat(suspect.confidence(TestOffers.of("elsewhere", "other").withSeenAt(NOW)))
        .isEqualTo(1);
    assertThat(health(failed("1", 61), failed("2", 40), failed("3", 35)).confidence(other))
        .isEqualTo(1);
  }

  @Example
  void confidenceHalvesFromTwoToFiveMinutes() {
    assertThat(health().confidence(seen(Duration.ofMinutes(2)))).isEqualTo(1);
    assertThat(health().confidence(seen(Duration.ofSeconds(210)))).isCloseTo(0.75, NEARLY);
    assertThat(health().confidence(seen(Duration.ofMinutes(5)))).isEqualTo(0.5);
    assertThat(health().confidence(seen(Duration.ofDays(1)))).isEqualTo(0.5);
  }

  @Example
  void whereAProviderCanOnlyGuessCreatesCount() {
    Offer guessed =
        TestOffers.with("market", "1", Optional.of("0.3"), Optional.empty()).withSeenAt(NOW);
    assertThat(health().confidence(guessed)).isCloseTo(0.3, NEARLY);
    assertThat(health(worked("1", 5)).confidence(guessed)).isEqualTo(1);
    assertThat(health(worked("1", 31)).confidence(guessed)).isCloseTo(0.3, NEARLY);
    // One of two, and the last one failed: a quarter; and the failure itself counts.
    assertThat(health(worked("1", 9), failed("1", 5)).confidence(guessed))
        .isCloseTo(0.25 * 0.7, NEARLY);
    Offer known =
        TestOffers.with("market", "1", Optional.of("0.8"), Optional.of("0.97")).withSeenAt(NOW);
    assertThat(health(worked("1", 5)).confidence(known)).isCloseTo(0.8, NEARLY);
  }

  @Example
  void theReportSaysWhatFailed() {
    OfferHealth health =
        health(failed("1", 9), failed("1", 7), failed("1", 5), failed("2", 40), failed("3", 1));
    Catalog.Health report = health.report(Optional.empty(), Optional.empty());
    assertThat(report.offers())
        .extracting(Catalog.OfferReport::id, Catalog.OfferReport::recentFailures)
        .containsExactly(tuple("market-1", 3), tuple("market-2", 0), tuple("market-3", 1));
    assertThat(report.offers().getFirst().multiplier()).isZero();
    assertThat(report.offers().getFirst().suppressedUntil())
        .contains(NOW.plus(Duration.ofMinutes(25)));
    assertThat(report.offers().getLast().multiplier()).isCloseTo(0.7 * 0.3, NEARLY);
    assertThat(report.gpuTypes())
        .containsExactly(new Catalog.GpuReport("market", "RTX 4090", 3, true, 0.3));
    Catalog.Health none = health.report(Optional.of("elsewhere"), Optional.empty());
    assertThat(none.offers()).isEmpty();
    assertThat(none.gpuTypes()).hasSize(1);
    assertThat(health.report(Optional.empty(), Optional.of("H100")).offers()).isEmpty();
  }

  @Provide
  Arbitrary<List<Outcome>> outcomes() {
    Arbitrary<Optional<Failure>> failure = Arbitraries.of(Failure.class).optional();
    return Combinators.combine(
            Arbitraries.of("1", "2", "3", "4"), failure, Arbitraries.integers().between(0, 7200))
        .as((offer, why, seconds) -> outcome(offer, why, Duration.ofSeconds(seconds)))
        .list()
        .ofMaxSize(30)
        .map(all -> all.stream().sorted(Comparator.comparing(Outcome::at)).toList());
  }

  @Property
  void confidenceStaysWithinItsBoundsAndAFailureNeverHelps(@ForAll("outcomes") List<Outcome> all) {
    for (Optional<String> said : List.of(Optional.<String>empty(), Optional.of("0.3"))) {
      Offer offer = TestOffers.with("market", "1", said, Optional.empty()).withSeenAt(NOW);
      double before = new OfferHealth(all, NOW, RULES).confidence(offer);
      assertThat(before).isBetween(0.05 * 0.05 * 0.5, 1.0);
      List<Outcome> more = new ArrayList<>(all);
      more.add(failed("1", 0));
      boolean shown = said.isPresent() && all.stream().noneMatch(one -> isCreateOf(one, "1"));
      if (!shown) { // a first create, even a failed one, replaces a guess
        assertThat(new OfferHealth(more, NOW, RULES).confidence(offer))
            .isLessThanOrEqualTo(before + 1e-9);
      }
    }
  }

  private static boolean isCreateOf(Outcome one, String offer) {
    return one.offer().id().equals(offer);
  }

  @Property
  void whatIsHiddenComesBack(@ForAll("outcomes") List<Outcome> all) {
    Instant later = NOW.plus(RULES.suppressedFor());
    OfferHealth then = new OfferHealth(all, later, RULES);
    for (Outcome one : all) {
      assertThat(then.suppression(one.offer())).isEmpty();
      Optional<OfferHealth.Suppression> now =
          new OfferHealth(all, NOW, RULES).suppression(one.offer());
      now.ifPresent(hidden -> {
        assertThat(hidden.from()).isBeforeOrEqualTo(NOW);
        assertThat(hidden.until()).isAfter(NOW);
      });
    }
  }
}
