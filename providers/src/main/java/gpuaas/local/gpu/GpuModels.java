package gpuaas.local.gpu;

import gpuaas.spi.Gpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The models we know by name, and the text form in which GPUs are declared. */
public final class GpuModels {

  private static final Pattern DECLARATION =
      Pattern.compile("([0-9]{1,3})x([A-Za-z][A-Za-z0-9_-]{0,30})(?::([0-9]{3,7}))?");
  private static final int MOST_GPUS = 256;

  /** Memory in MiB as the vendor's tools report it. */
  private static final Map<String, Gpu> KNOWN = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  static {
    nvidia("B300", 275_040);
    nvidia("B200", 183_359);
    nvidia("H200", 143_771);
    nvidia("H100", 81_559);
    nvidia("GH200", 97_871);
    nvidia("A100", 81_920);
    nvidia("A40", 46_068);
    nvidia("A10", 23_028);
    nvidia("L40S", 46_068);
    nvidia("L40", 46_068);
    nvidia("L4", 23_034);
    nvidia("V100", 32_768);
    nvidia("T4", 15_360);
    nvidia("RTX 5090", 32_607);
    nvidia("RTX 4090", 24_564);
    nvidia("RTX 3090", 24_576);
    amd("MI300X", 196_592);
    amd("MI325X", 262_128);
    amd("MI355X", 294_896);
  }

  private GpuModels() {}

  /**
   * Reads {@code 8xH200,4xRTX4090}, or {@code 8xNAME:MEMORYMIB} for a model that is not known.
   *
   * @throws IllegalArgumentException with a sentence that says what to write instead
   */
  public static List<Gpu> parse(String text) {
    List<Gpu> gpus = new ArrayList<>();
    for (String part : text.split(",")) {
      Matcher matcher = DECLARATION.matcher(part.strip());
      if (!matcher.matches()) {
        throw new IllegalArgumentException(
            "gpus: \"" + part.strip() + "\" is not of the form 8xH200 or 8xNAME:MEMORYMIB");
      }
      Gpu gpu = named(matcher.group(2), matcher.group(3));
      for (int count = Integer.parseInt(matcher.group(1)); count > 0; count--) {
        gpus.add(gpu);
      }
    }
    if (gpus.isEmpty() || gpus.size() > MOST_GPUS) {
      throw new IllegalArgumentException(
          "gpus: " + gpus.size() + " GPUs declared; a machine has 1 to " + MOST_GPUS);
    }
    return List.copyOf(gpus);
  }

  /** What a driver calls a device, such as {@code NVIDIA H100 80GB HBM3}. */
  static Gpu ofDriver(String product, int memoryMib) {
    Gpu gpu = Gpu.called(product, memoryMib);
    Gpu known = KNOWN.get(gpu.model());
    return memoryMib > 0 || known == null ? gpu : known;
  }

  private static Gpu named(String name, @Nullable String memoryMib) {
    Gpu known = KNOWN.get(Gpu.called(name, 0).model());
    if (memoryMib != null) {
      Gpu declared = Gpu.called(name, Integer.parseInt(memoryMib));
      return known == null
          ? declared
          : new Gpu(known.vendor(), known.model(), declared.memoryMib());
    }
    if (known == null) {
      throw new IllegalArgumentException(
          "gpus: the model "
              + name
              + " is not known; give its memory too, as in 8x"
              + name
              + ":81920. Known: "
              + String.join(", ", KNOWN.keySet()));
    }
    return known;
  }

  private static void nvidia(String model, int memoryMib) {
    KNOWN.put(model, new Gpu("NVIDIA", model, memoryMib));
  }

  private static void amd(String model, int memoryMib) {
    KNOWN.put(model, new Gpu("AMD", model, memoryMib));
  }
}
