package gpuaas.market;

import gpuaas.spi.Gpu;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What markets call their GPUs, in our words. */
public final class MarketGpus {

  private static final Pattern FORM =
      Pattern.compile(
          "(RTX|GTX) ?([0-9]{4})( ?TI| ?SUPER|D)?\\b|(RTX (?:PRO"
              + " )?A?[0-9]{4})\\b|(GH200|[A-Z]{1,2}[0-9]{1,4}[A-Z]?)\\b");

  private MarketGpus() {}

  /**
   * Our name of a model: {@code NVIDIA GeForce RTX 4090 PCIe 24GB} and {@code RTX_4090} are {@code
   * RTX 4090}, {@code H100 SXM} is {@code H100}. What is not understood keeps its name.
   *
   * @param memoryMib of one of them
   */
  public static Gpu gpu(String name, int memoryMib) {
    String words = name.replace('_', ' ').replaceAll("\\s+", " ").strip().toUpperCase(Locale.ROOT);
    String vendor =
        words.startsWith("AMD ") || words.matches(".*\\bMI[0-9]{3}X?\\b.*") ? "AMD" : "NVIDIA";
    String bare =
        words
            .replaceFirst("^(NVIDIA|AMD) ", "")
            .replaceFirst("^(GEFORCE|TESLA|INSTINCT|QUADRO) ", "");
    Matcher matcher = FORM.matcher(bare);
    if (!matcher.lookingAt()) {
      return new Gpu(vendor, bare.isEmpty() ? "unknown" : bare, memoryMib);
    }
    String model =
        matcher.group(1) == null
            ? matcher.group()
            : matcher.group(1) + " " + matcher.group(2) + suffix(matcher.group(3));
    return new Gpu(vendor, model, memoryMib);
  }

  private static String suffix(@org.jspecify.annotations.Nullable String found) {
    if (found == null) {
      return "";
    }
    return found.strip().equals("D") ? "D" : " " + found.strip();
  }

  /** A decimal amount of dollars an hour in millionths, rounded up: never less than is asked. */
  public static long micros(BigDecimal dollars) {
    return dollars.movePointRight(6).setScale(0, RoundingMode.CEILING).longValueExact();
  }
}
