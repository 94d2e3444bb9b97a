package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One name for a kind of GPU, whatever a market, a driver or a person calls it. */
class GpuTest {

  @ParameterizedTest
  @CsvSource({
    "RTX 4090, RTX 4090",
    "RTX_4090, RTX 4090",
    "GeForce RTX 4090, RTX 4090",
    "NVIDIA GeForce RTX 4090 PCIe 24GB, RTX 4090",
    "RTX4090, RTX 4090",
    "rtx_4090, RTX 4090",
    "RTX 4090D, RTX 4090D",
    "RTX 4090 D, RTX 4090D",
    "RTX 4080S, RTX 4080 SUPER",
    "RTX 4070S Ti, RTX 4070 TI SUPER",
    "NVIDIA GeForce RTX 4070 Ti SUPER, RTX 4070 TI SUPER",
    "RTX 6000Ada, RTX 6000 ADA",
    "NVIDIA RTX 6000 Ada Generation, RTX 6000 ADA",
    "Q RTX 6000, RTX 6000",
    "NVIDIA GeForce RTX 3080 Laptop GPU, RTX 3080 LAPTOP",
    "RTX PRO 6000 WS, RTX PRO 6000",
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
    "NVIDIA H100 80GB HBM3, H100",
    "NVIDIA, UNKNOWN",
    "Quantum Chip, QUANTUM CHIP"
  })
  void aModelHasOneName(String said, String model) {
    // Whoever says it, a kind of GPU has one name; what is not understood keeps its own.
    assertThat(Gpu.called(said, 24_564).model()).isEqualTo(model);
    assertThat(Gpu.called(model, 24_564).model()).isEqualTo(model);
  }
}
