package gpuaas.market;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One name for a model, whatever a market calls it; and never a price that is too low. */
class MarketGpusTest {

  @ParameterizedTest
  @CsvSource({
    "RTX 4090, RTX 4090",
    "RTX_4090, RTX 4090",
    "GeForce RTX 4090, RTX 4090",
    "NVIDIA GeForce RTX 4090 PCIe 24GB, RTX 4090",
    "RTX 4090D, RTX 4090D",
    "RTX 3060 Ti, RTX 3060 TI",
    "RTX A6000, RTX A6000",
    "H100 SXM, H100",
    "h100-sxm5-80gb, H100",
    "A100 SXM4, A100",
    "a40-pcie-48gb, A40",
    "Tesla V100, V100",
    "L40S, L40S",
    "GH200 SXM, GH200",
    "AMD Instinct MI300X, MI300X",
    "Quantum Chip, QUANTUM CHIP"
  })
  void aModelHasOneName(String said, String model) {
    // What is not understood keeps its name, so that it is at least never taken for another.

    assertThat(MarketGpus.gpu(said, 24_564).model()).isEqualTo(model);
  }

  @Test
  void whatIsLessThanAMillionthIsRoundedUp() {
    // Rounded down, an offer could not be taken for the price that it was shown at.
    assertThat(MarketGpus.micros(new BigDecimal("0.3333333333"))).isEqualTo(333_334);
    assertThat(MarketGpus.micros(new BigDecimal("0.34"))).isEqualTo(340_000);
  }
}
