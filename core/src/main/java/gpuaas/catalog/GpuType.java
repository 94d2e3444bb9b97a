package gpuaas.catalog;

import java.util.Locale;
import java.util.Optional;

/**
 * A kind of GPU by the name that price lists use.
 *
 * @param model our spelling, as in offers
 * @param name such as {@code h100}: lower case letters, digits and underscores
 * @param architecture such as {@code Hopper}; empty when nobody wrote it down
 */
public record GpuType(String model, String name, int memoryGb, Optional<String> architecture) {

  private static final int MIB_PER_GIB = 1024;

  /** The kind of a model that a provider has and the catalogue does not know. */
  public static GpuType unknown(String model, int memoryMib) {
    String name =
        model.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_").replaceAll("^_|_$", "");
    return new GpuType(
        model, name, Math.max(1, Math.ceilDiv(memoryMib, MIB_PER_GIB)), Optional.empty());
  }

  /**
   * The memory of a GPU as people say it: drivers keep some for themselves, so 46068 MiB are the 48
   * that are written down of its kind; of a kind that is not written down it is rounded up.
   */
  public static int memoryGb(int memoryMib, Optional<GpuType> written) {
    int atLeast = Math.max(1, Math.ceilDiv(memoryMib, MIB_PER_GIB));
    return written
        .map(GpuType::memoryGb)
        .filter(said -> said >= atLeast && said * 9 <= atLeast * 10)
        .orElse(atLeast);
  }
}
