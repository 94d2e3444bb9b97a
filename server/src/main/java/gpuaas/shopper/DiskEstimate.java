package gpuaas.shopper;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much disk a model needs: its weights, half as much again while they are fetched, its image
 * and the system.
 *
 * @param billionParameters of the model
 * @param templateGb what a template says by itself; 0: nothing
 */
record DiskEstimate(
    String modelId,
    String quantization,
    BigDecimal billionParameters,
    BigDecimal weightsGb,
    int imageGb,
    int templateGb) {

  private static final int SYSTEM_GB = 5;
  private static final int IMAGE_GB = 10;
  private static final int TEMPLATE_IMAGE_GB = 15;
  private static final int STEP_GB = 5;
  private static final BigDecimal SPARE = new BigDecimal("1.2");
  private static final BigDecimal HALF = new BigDecimal("0.5");

  private static final Pattern SIZE =
      Pattern.compile("[-_](?:([0-9]{1,3})x)?([0-9]{1,4}(?:\\.[0-9]{1,3})?)b(?![a-z0-9])");

  /** Models whose names do not tell their size, in billions of parameters; longer names first. */
  private static final Map<String, String> KNOWN = known();

  private static Map<String, String> known() {
    Map<String, String> known = new LinkedHashMap<>();
    known.put("mixtral-8x22b", "141");
    known.put("mixtral-8x7b", "46.7");
    known.put("mistral-large", "123");
    known.put("command-r-plus", "104");
    known.put("command-r", "35");
    known.put("deepseek-v3", "671");
    known.put("deepseek-r1-distill", "0");
    known.put("deepseek-r1", "671");
    known.put("phi-3-medium", "14");
    known.put("phi-3-mini", "3.8");
    known.put("phi-2", "2.7");
    known.put("gpt-j", "6");
    known.put("gpt2-xl", "1.5");
    return known;
  }

  /** Empty when nothing is known that an estimate could rest on. */
  static Optional<DiskEstimate> of(
      String modelId, String quantization, boolean template, int templateGb) {
    BigDecimal billions = billions(modelId);
    if (billions.signum() == 0 && templateGb == 0) {
      return Optional.empty();
    }
    String form = quantization.isEmpty() ? inferred(modelId) : quantization;
    return Optional.of(
        new DiskEstimate(
            modelId,
            form,
            billions,
            billions.multiply(bytesPerParameter(form)),
            template ? TEMPLATE_IMAGE_GB : IMAGE_GB,
            templateGb));
  }

  private static BigDecimal billions(String modelId) {
    String name = modelId.toLowerCase(Locale.ROOT);
    Optional<BigDecimal> known =
        KNOWN.entrySet().stream()
            .filter(entry -> name.contains(entry.getKey()))
            .findFirst()
            .map(entry -> new BigDecimal(entry.getValue()))
            .filter(size -> size.signum() > 0);
    if (known.isPresent()) {
      return known.get();
    }
    Matcher size = SIZE.matcher(name);
    if (!size.find()) {
      return BigDecimal.ZERO;
    }
    BigDecimal each = new BigDecimal(size.group(2));
    return size.group(1) == null ? each : each.multiply(new BigDecimal(size.group(1)));
  }

  private static String inferred(String modelId) {
    String name = modelId.toUpperCase(Locale.ROOT);
    for (String form : new String[] {"AWQ", "GPTQ", "FP8", "INT8", "INT4"}) {
      if (name.contains("-" + form)) {
        return form;
      }
    }
    return "";
  }

  private static BigDecimal bytesPerParameter(String form) {
    return switch (form.toUpperCase(Locale.ROOT)) {
      case "FP32" -> new BigDecimal("4");
      case "FP8", "INT8" -> BigDecimal.ONE;
      case "AWQ", "GPTQ" -> new BigDecimal("0.5625");
      case "INT4", "GGUF-Q4" -> HALF;
      default -> new BigDecimal("2");
    };
  }

  private BigDecimal downloadGb() {
    return weightsGb.multiply(HALF);
  }

  private BigDecimal sum() {
    return weightsGb.add(downloadGb()).add(BigDecimal.valueOf(imageGb + SYSTEM_GB));
  }

  int minimumGb() {
    return Math.max(templateGb, sum().setScale(0, RoundingMode.CEILING).intValue());
  }

  int recommendedGb() {
    int spare = sum().multiply(SPARE).setScale(0, RoundingMode.CEILING).intValue();
    return Math.max(templateGb, Math.ceilDiv(spare, STEP_GB) * STEP_GB);
  }

  /** Why so little is refused. */
  String refusal(int requestedGb) {
    return "insufficient disk space: "
        + requestedGb
        + " GB requested, minimum "
        + minimumGb()
        + " GB required (recommended: "
        + recommendedGb()
        + " GB) — breakdown: model weights: "
        + weightsGb.setScale(1, RoundingMode.HALF_UP)
        + " GB, download buffer: "
        + downloadGb().setScale(1, RoundingMode.HALF_UP)
        + " GB, docker image: "
        + imageGb
        + " GB, system overhead: "
        + SYSTEM_GB
        + " GB"
        + (templateGb == 0 ? "" : ", template recommendation: " + templateGb + " GB");
  }

  /** What goes with the refusal. */
  Map<String, Object> details(int requestedGb) {
    Map<String, Object> breakdown = new LinkedHashMap<>();
    breakdown.put("model_weight_gb", weightsGb);
    breakdown.put("download_buffer_gb", downloadGb());
    breakdown.put("docker_image_gb", imageGb);
    breakdown.put("system_overhead_gb", SYSTEM_GB);
    breakdown.put("minimum_gb", minimumGb());
    breakdown.put("recommended_gb", recommendedGb());
    if (templateGb > 0) {
      breakdown.put("template_floor_gb", templateGb);
    }
    if (!modelId.isEmpty()) {
      breakdown.put("model_id", modelId);
    }
    if (!quantization.isEmpty()) {
      breakdown.put("quantization", quantization);
    }
    if (billionParameters.signum() > 0) {
      breakdown.put("param_count_b", billionParameters);
    }
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("error_type", "insufficient_disk");
    details.put("requested_gb", requestedGb);
    details.put("minimum_gb", minimumGb());
    details.put("recommended_gb", recommendedGb());
    details.put("breakdown", breakdown);
    return details;
  }
}
