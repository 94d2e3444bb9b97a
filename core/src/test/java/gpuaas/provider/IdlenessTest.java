package gpuaas.provider;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.provider.Idleness.Look;
import gpuaas.provider.Idleness.Rule;
import gpuaas.provider.Idleness.Step;
import gpuaas.provider.Idleness.Verdict;
import gpuaas.spi.HasUtilization.Utilization;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When an instance counts as idle: every row of the table, and what no run of looks may do. */
class IdlenessTest {

  private static final Instant START = Instant.parse("2026-01-31T12:00:00Z");
  private static final Duration EVERY = Duration.ofSeconds(10);
  private static final Rule RULE =
      new Rule(Duration.ofMinutes(10), 5, Duration.ofMinutes(2), EVERY.multipliedBy(3));

  private Idleness idleness = Idleness.begin(START);
  private Instant now = START;
  private Duration used = Duration.ZERO;
  private Optional<Instant> traffic = Optional.empty();

  @BeforeEach
  void firstLook() {
    look(Duration.ZERO, Optional.of(new Utilization(Optional.of(used), 2000, Optional.of(0))));
  }

  private Verdict look(Duration later, Optional<Utilization> utilization) {
    now = now.plus(later);
    Step step = idleness.look(new Look(now, traffic, utilization), RULE);
    idleness = step.after();
    return step.verdict();
  }

  /** A look after the usual pause, in which so many percent of two processors were used. */
  private Verdict look(int cpuPercent, int gpuPercent) {
    used = used.plus(EVERY.multipliedBy(2L * cpuPercent).dividedBy(100));
    return look(
        EVERY, Optional.of(new Utilization(Optional.of(used), 2000, Optional.of(gpuPercent))));
  }

  /** Idle looks up to this time after the start; the last verdict. */
  private Verdict idleUntil(Duration after) {
    Verdict last = new Verdict.Wait();
    while (now.isBefore(START.plus(after))) {
      assertThat(last).isInstanceOf(Verdict.Wait.class);
      last = look(0, 0);
    }
    return last;
  }

  @Test
  void itIsToldBeforeAndStoppedThen() {
    Verdict warning = idleUntil(Duration.ofMinutes(8));
    assertThat(warning).isEqualTo(new Verdict.Warn(START, START.plus(Duration.ofMinutes(10))));
    for (int i = 0; i < 11; i++) {
      assertThat(look(4, 0)).as("told once").isEqualTo(new Verdict.Wait());
    }
    assertThat(look(4, 0)).isEqualTo(new Verdict.Stop());
  }

  @Test
  void atTheThresholdItIsInUse() {
    idleUntil(Duration.ofMinutes(5));
    assertThat(look(5, 0)).isEqualTo(new Verdict.Wait());
    assertThat(idleness.since()).isEqualTo(now);
    assertThat(look(4, 0)).isEqualTo(new Verdict.Wait());
    assertThat(idleness.since()).isEqualTo(now.minus(EVERY));
  }

  @Test
  void anyWorkOfAGpuIsUse() {
    idleUntil(Duration.ofMinutes(5));
    look(0, 1);
    assertThat(idleness.since()).isEqualTo(now);
  }

  @Test
  void trafficIsUseAndTakesTheWarningBack() {
    idleUntil(Duration.ofMinutes(8));
    assertThat(idleness.stopAt()).isPresent();
    traffic = Optional.of(now.plusSeconds(3));
    assertThat(look(0, 0)).isEqualTo(new Verdict.Wait());
    assertThat(idleness.since()).isEqualTo(traffic.get());
    assertThat(idleness.stopAt()).isEmpty();
    for (int i = 0; i < 40; i++) {
      assertThat(look(0, 0)).isEqualTo(new Verdict.Wait());
    }
  }

  @Test
  void whatIsNotKnownIsNotIdle() {
    idleUntil(Duration.ofMinutes(7));
    assertThat(look(EVERY, Optional.empty()))
        .isEqualTo(new Verdict.Unknown("the use of its processors"));
    Utilization noGpu = new Utilization(Optional.of(used), 2000, Optional.empty());
    assertThat(look(EVERY, Optional.of(noGpu)))
        .isEqualTo(new Verdict.Unknown("the use of its GPUs"));
    assertThat(idleness.since()).isEqualTo(now);
  }

  @Test
  void aTimeInWhichNobodyLookedCountsAsUse() {
    // A restart begins anew in the same way; the warning before the pause does not count either.
    idleUntil(Duration.ofMinutes(8));
    Utilization still = new Utilization(Optional.of(used), 2000, Optional.of(0));
    assertThat(look(Duration.ofHours(1), Optional.of(still))).isEqualTo(new Verdict.Wait());
    assertThat(idleness.since()).isEqualTo(now);
    assertThat(idleness.stopAt()).isEmpty();
    look(Duration.ofHours(-2), Optional.of(still));
    assertThat(idleness.since()).as("the clock went back").isEqualTo(now);
  }

  @Test
  void aCounterThatWentBackIsOfAnotherLife() {
    used = Duration.ofMinutes(1);
    look(0, 0);
    idleUntil(Duration.ofMinutes(5));
    used = Duration.ZERO;
    look(0, 0);
    assertThat(idleness.since()).isEqualTo(now);
  }

  @Test
  void nobodyIsStoppedWhoWasNotIdleAndWarnedForSoLong() {
    // Whatever comes in whatever order: before each stop there is a whole time without use, and a
    // warning that held.
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    int stops = 0;
    Instant lastUse = START;
    Optional<Instant> warned = Optional.empty();
    for (int i = 0; i < 200_000; i++) {
      Duration pause = EVERY.plusSeconds(random.nextInt(random.nextInt(200) == 0 ? 60 : 15));
      boolean busy = random.nextInt(120) == 0;
      boolean typed = random.nextInt(120) == 0;
      boolean unknown = random.nextInt(300) == 0;
      used = used.plus(busy ? pause : Duration.ZERO);
      traffic = typed ? Optional.of(now.plusSeconds(random.nextInt(10))) : traffic;
      Verdict verdict =
          look(
              pause,
              unknown
                  ? Optional.empty()
                  : Optional.of(new Utilization(Optional.of(used), 2000, Optional.of(0))));
      if (typed) {
        lastUse = traffic.orElseThrow();
        warned = Optional.empty();
      }
      // In the pause after a warning the notice inside is at work, and nothing can be told apart.
      boolean seen = warned.filter(now.minus(pause)::equals).isEmpty();
      if (unknown || (busy && seen) || pause.compareTo(RULE.pauseMost()) > 0) {
        lastUse = now;
        warned = Optional.empty();
      }
      if (verdict instanceof Verdict.Warn) {
        warned = Optional.of(now);
      }
      if (verdict instanceof Verdict.Stop) {
        stops++;
        assertThat(now).isAfterOrEqualTo(lastUse.plus(RULE.after()));
        assertThat(warned)
            .hasValueSatisfying(at -> assertThat(now).isAfterOrEqualTo(at.plus(RULE.warnBefore())));
        idleness = Idleness.begin(now);
        lastUse = now;
        warned = Optional.empty();
      }
    }
    assertThat(stops).isGreaterThan(100);
  }
}
