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
}
