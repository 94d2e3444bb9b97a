package gpuaas.catalog;

import gpuaas.spi.Gpu;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.util.Optional;

/**
 * What a lease needs from an offer.
 *
 * @param sku the product it was asked by; empty when asked by GPU
 * @param gpuModel the GPU in our spelling
 * @param gpuCount how many, all in one machine; of places without GPUs, how many of those
 * @param region where; empty: anywhere
 * @param offer this very offer and no other; empty: any that suits
 * @param provider only there; empty: anywhere
 */
public record Want(
    String sku,
    String gpuModel,
    int gpuCount,
    Optional<Region> region,
    Tier tier,
    Optional<OfferKey> offer,
    Optional<String> provider) {

  public Want {
    offer = offer == null ? Optional.empty() : offer; // rows of before these existed have none
    provider = provider == null ? Optional.empty() : provider;
  }

  /** True when it may be taken back. */
  public boolean mayBeTakenBack() {
    return tier == Tier.SPOT;
  }

  /** How many GPUs those who have it see: in a place without GPUs none. */
  public int gpus() {
    return Gpu.isCpuPlace(gpuModel) ? 0 : gpuCount;
  }

  /** A want of any offer that suits. */
  public Want(String sku, String gpuModel, int gpuCount, Optional<Region> region, Tier tier) {
    this(sku, gpuModel, gpuCount, region, tier, Optional.empty());
  }

  /** A want of this very offer, or of any that suits. */
  public Want(
      String sku,
      String gpuModel,
      int gpuCount,
      Optional<Region> region,
      Tier tier,
      Optional<OfferKey> offer) {
    this(sku, gpuModel, gpuCount, region, tier, offer, Optional.empty());
  }

  /** The same, at this provider only. */
  public Want at(String onlyProvider) {
    return new Want(sku, gpuModel, gpuCount, region, tier, offer, Optional.of(onlyProvider));
  }
}
