package gpuaas.market;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

/** Never a price that is too low. */
class MarketGpusTest {

  @Test
  void whatIsLessThanAMillionthIsRoundedUp() {
    // Rounded down, an offer could not be taken for the price that it was shown at.
    assertThat(MarketGpus.micros(new BigDecimal("0.3333333333"))).isEqualTo(333_334);
    assertThat(MarketGpus.micros(new BigDecimal("0.34"))).isEqualTo(340_000);
  }
}
