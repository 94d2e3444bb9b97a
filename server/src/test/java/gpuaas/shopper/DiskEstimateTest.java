package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** How much disk models are thought to need. */
class DiskEstimateTest {

  private static int minimum(String model, String quantization) {
    return DiskEstimate.of(model, quantization, false, 0).orElseThrow().minimumGb();
  }

  @Test
  void theSizeIsReadFromTheName() {
    assertThat(minimum("meta-llama/Llama-2-70b-hf", "")).isEqualTo(225); // 140 + 70 + 10 + 5
    assertThat(minimum("TinyLlama/TinyLlama_1.1b", "")).isEqualTo(19); // 2.2 + 1.1 + 15
    assertThat(minimum("some/model-8x7b", "FP16")).isEqualTo(183); // 56 billion
    assertThat(minimum("mistralai/Mixtral-8x7B-Instruct", "")).isEqualTo(156); // 46.7, as known
  }

  @Test
  void smallerFormsNeedLess() {
    assertThat(minimum("x/model-70B-AWQ", "")).isEqualTo(75); // 39.375 + 19.6875 + 15
    assertThat(minimum("x/model-70B", "int4")).isEqualTo(68); // 35 + 17.5 + 15
    assertThat(minimum("x/model-70B", "fp8")).isEqualTo(120);
    assertThat(minimum("x/model-70B", "fp32")).isEqualTo(435);
  }

  @Test
  void aTemplateIsAFloor() {
    DiskEstimate estimate = DiskEstimate.of("x/model-7b", "", true, 100).orElseThrow();
    assertThat(estimate.minimumGb()).isEqualTo(100);
    assertThat(estimate.recommendedGb()).isEqualTo(100);
    assertThat(estimate.refusal(50))
        .isEqualTo(
            "insufficient disk space: 50 GB requested, minimum 100 GB required (recommended: 100"
                + " GB) — breakdown: model weights: 14.0 GB, download buffer: 7.0 GB, docker image:"
                + " 15 GB, system overhead: 5 GB, template recommendation: 100 GB");
  }

  @Test
  void whatIsNotKnownIsNotEstimated() {
    assertThat(DiskEstimate.of("my/own-model", "", false, 0)).isEmpty();
    assertThat(DiskEstimate.of("", "", false, 0)).isEmpty();
  }
}
