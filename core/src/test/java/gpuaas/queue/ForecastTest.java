package gpuaas.queue;

import static gpuaas.queue.Yard.waiter;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.capacity.Availability;
import gpuaas.capacity.Delay;
import gpuaas.capacity.FreeIndex.Machine;
import gpuaas.catalog.Gang;
import gpuaas.queue.Horizon.Release;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What those who wait are told: their place, when they begin, and why they wait. */
class ForecastTest {

  private static final Instant NOW = Yard.START;
  private static final Optional<Duration> HOUR = Optional.of(Duration.ofHours(1));

  private static Instant hours(int hours) {
    return NOW.plus(Duration.ofHours(hours));
  }

  /** One machine with four GPUs, all of them held. */
  private static Optional<Delay> explain(List<Release> releases, Waiter who, List<Waiter> line) {
    Yard yard = new Yard(1, 4);
    yard.waiting.add(waiter(100, 4, Optional.empty(), Optional.empty()));
    yard.look();
    return new Forecast(
            NOW,
            line,
            yard.rooms(),
            releases,
            Availability.of(yard.rooms()),
            Shares.none(),
            Set.of("sim"))
        .explain(who.id(), _ -> 1, Yard.RULES);
  }

  private static Release release(int gpus, int hour) {
    return new Release(new Machine("sim", "node-0"), gpus, hours(hour));
  }

  @Test
  void oneAfterTheOtherBeginsAsGpusAreGivenBack() {
    Waiter first = waiter(1, 2, HOUR, Optional.empty());
    Waiter second = waiter(2, 2, HOUR, Optional.empty());
    Waiter third = waiter(3, 4, HOUR, Optional.empty());
    List<Waiter> line = List.of(first, second, third);
    List<Release> releases = List.of(release(2, 1), release(2, 5));
    assertThat(explain(releases, first, line))
        .contains(
            new Delay(
                1,
                "0 of 4 H200 GPUs are free; it needs 2 on one machine, and there are none until "
                    + hours(1)
                    + ".",
                Optional.of(hours(1))));
    assertThat(explain(releases, second, line))
        .contains(
            new Delay(
                2,
                "0 of 4 H200 GPUs are free, and 1 lease waits before it.",
                Optional.of(hours(2))));
    assertThat(explain(releases, third, line).orElseThrow().estimatedStart()).contains(hours(5));
  }

  @Test
  void nothingIsPromisedWhenHoldersHaveNoEnd() {
    Waiter first = waiter(1, 4, HOUR, Optional.empty());
    Delay delay = explain(List.of(release(3, 1)), first, List.of(first)).orElseThrow();
    assertThat(delay.estimatedStart()).isEmpty();
    assertThat(delay.reason()).isEqualTo("0 of 4 H200 GPUs are free; it needs 4 on one machine.");
  }

  @Test
  void aGangThatIsIncompleteSaysSo() {
    Waiter first = waiter(1, 1, HOUR, Optional.of(new Gang("g", 0, 2)));
    Delay delay = explain(List.of(release(4, 1)), first, List.of(first)).orElseThrow();
    assertThat(delay.reason()).isEqualTo("Its gang is incomplete: 1/2 were asked for.");
    assertThat(delay.estimatedStart()).isEmpty();
  }

  @Test
  void whoIsNotInTheLineIsNotExplained() {
    Waiter first = waiter(1, 1, HOUR, Optional.empty());
    assertThat(explain(List.of(), first, List.of())).isEmpty();
  }
}
