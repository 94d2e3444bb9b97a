package gpuaas.spi;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A kind of GPU.
 *
 * @param vendor {@code NVIDIA}, {@code AMD}, …
 * @param model one name per kind across all providers, such as {@code H200} or {@code RTX 4090}
 * @param memoryMib memory of one GPU
 */
public record Gpu(String vendor, String model, int memoryMib) {

  private static final Pattern WORKSTATION_OR_GAME =
      Pattern.compile(
          "(RTX|GTX) ?([0-9]{4})( ?TI SUPER| ?S TI| ?TI| ?SUPER| ?S| ?D| ?ADA)?\\b"
              + "(?:.* (LAPTOP|ADA)\\b)?");
  private static final Pattern ANY_OTHER =
      Pattern.compile("RTX (?:PRO )?A?[0-9]{4}\\b|GH200\\b|[A-Z]{1,2}[0-9]{1,4}[A-Z]?\\b");
  private static final Pattern OF_AMD = Pattern.compile("^AMD |\\bMI[0-9]{3}X?\\b");

  private static final String CPU_PLACE = "CPU_";

  /**
   * What stands for a GPU in a place on a machine for somebody who needs none: such places are
   * offered, held and given like GPUs, and whoever has one sees no GPU.
   *
   * @param architecture such as {@code X86}
   */
  public static Gpu cpuPlace(String architecture) {
    return new Gpu("CPU", CPU_PLACE + architecture, 0);
  }

  /** Whether a model means places without GPUs. */
  public static boolean isCpuPlace(String model) {
    return model.startsWith(CPU_PLACE);
  }

  /**
   * The kind of GPU that somebody calls so. {@code NVIDIA GeForce RTX 4090 PCIe 24GB}, {@code
   * RTX_4090} and {@code RTX4090} are the {@code RTX 4090}, {@code H100 SXM} is the {@code H100}.
   * What is not understood keeps its name in capitals, so that it is never taken for another.
   *
   * @param said by a market, a driver or a person
   * @param memoryMib of one of them
   */
  public static Gpu called(String said, int memoryMib) {
    String words = said.replace('_', ' ').replaceAll("\\s+", " ").strip().toUpperCase(Locale.ROOT);
    String vendor = OF_AMD.matcher(words).find() ? "AMD" : "NVIDIA";
    String bare =
        words
            .replaceFirst("^(NVIDIA|AMD) ?", "")
            .replaceFirst("^(GEFORCE|TESLA|INSTINCT|RADEON|QUADRO|Q) ", "");
    return new Gpu(vendor, bare.isEmpty() ? "UNKNOWN" : model(bare), memoryMib);
  }

  private static String model(String bare) {
    Matcher numbered = WORKSTATION_OR_GAME.matcher(bare);
    if (numbered.lookingAt()) {
      return numbered.group(1)
          + " "
          + numbered.group(2)
          + variant(numbered.group(3))
          + (numbered.group(4) == null ? "" : " " + numbered.group(4));
    }
    Matcher other = ANY_OTHER.matcher(bare);
    return other.lookingAt() ? other.group() : bare;
  }

  private static String variant(@Nullable String found) {
    return switch (found == null ? "" : found.strip()) {
      case "" -> "";
      case "D" -> "D";
      case "S" -> " SUPER";
      case "S TI" -> " TI SUPER";
      case String other -> " " + other;
    };
  }
}
