package gpuaas.base;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.TestClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IdsTest {

  private final TestClock clock = new TestClock();
  private final Ids ids = Ids.timeOrdered(clock);

  @Test
  void theyTellWhenTheyWereMade() {
    UUID id = ids.next();
    assertThat(id.version()).isEqualTo(7);
    assertThat(id.variant()).isEqualTo(2);
    assertThat(id.getMostSignificantBits() >>> 16).isEqualTo(clock.millis());
  }

  @Test
  void theySortInTheOrderTheyWereMadeIn() {
    // More than one millisecond has room for, then the clock goes back and on again.
    List<UUID> made = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      made.add(ids.next());
    }
    clock.advance(Duration.ofMinutes(-1));
    made.add(ids.next());
    clock.advance(Duration.ofMinutes(2));
    made.add(ids.next());
    assertThat(made)
        .doesNotHaveDuplicates()
        .isSortedAccordingTo(Comparator.comparing(UUID::toString));
  }
}
