package gpuaas.gpuai;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.catalog.GpuType;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.util.Optional;

/** A row of the price list, by an id that says all of it: type, count, tier and region. */
final class Offering {

  private Offering() {}

  static String id(String gpuType, int gpuCount, Tier tier, Region region) {
    return gpuType + ":" + gpuCount + ":" + GpuaiViews.tier(tier) + ":" + region.code();
  }

  /** Where to place it: as asked, or where the offering is, which must agree with all else. */
  static Optional<Region> region(
      Optional<String> offering, GpuType type, int gpuCount, Tier tier, Optional<String> asked) {
    if (offering.isEmpty()) {
      return asked.map(Region::new);
    }
    String[] parts = offering.get().split(":", 4);
    Region where = new Region(parts.length == 4 ? parts[3] : "");
    boolean agrees =
        offering.get().equals(id(type.name(), gpuCount, tier, where))
            && asked.map(where.code()::equals).orElse(true);
    if (!agrees) {
      throw new Refused(
          Refusal.Invalid.field(
              "offering_id", "is not of this gpu_type, gpu_count, tier and region"));
    }
    return Optional.of(where);
  }
}
