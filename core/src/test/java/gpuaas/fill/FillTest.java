package gpuaas.fill;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.disk.Disks.Room;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How full a disk is, and which threshold holds. */
class FillTest {

  private static final List<Integer> THRESHOLDS = List.of(80, 90, 95);

  private static Room room(long total, long free) {
    return new Room(total, free, 0, true, "");
  }

  @Test
  void aDiskEndsWhereItsSizeOrItsPoolDoes() {
    // More is promised than there is: what is left in the pool is all that still fits.
    assertThat(Fill.percent(100, Optional.of(50L), room(1000, 500))).isEqualTo(50);
    assertThat(Fill.percent(100, Optional.of(50L), room(1000, 10))).isEqualTo(83);
    assertThat(Fill.percent(100, Optional.of(50L), room(1000, 0))).isEqualTo(100);
    assertThat(Fill.percent(100, Optional.of(130L), room(1000, 500))).isEqualTo(100);
    assertThat(Fill.percent(100, Optional.of(0L), room(1000, 0))).isEqualTo(100);
  }

  @Test
  void aDiskThatIsNotCountedIsAsFullAsItsPool() {
    // Folders: nobody reads all files again and again to know.
    assertThat(Fill.percent(100, Optional.empty(), room(1000, 150))).isEqualTo(85);
    assertThat(room(0, 0).usedPercent()).isEqualTo(100);
    assertThat(room(1L << 50, 1L << 49).usedPercent()).isEqualTo(50);
  }

  @ParameterizedTest
  @CsvSource({
    "79, 0, 0",
    "80, 0, 80",
    "94, 0, 90",
    "100, 0, 95", // the highest that is passed
    "92, 80, 90",
    "100, 90, 95", // more than before
    "94, 95, 95",
    "91, 95, 95",
    "90, 95, 90", // taken back five points below
    "76, 80, 80",
    "75, 80, 0",
    "10, 95, 0",
  })
  void aThresholdHoldsUntilItIsFivePointsBelow(int percent, int told, int holds) {
    assertThat(Fill.holding(percent, told, THRESHOLDS)).isEqualTo(holds);
  }
}
