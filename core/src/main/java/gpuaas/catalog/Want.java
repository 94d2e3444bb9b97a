package gpuaas.catalog;

import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.util.Optional;

/**
 * What a lease needs from an offer.
 *
 * @param sku the product it was asked by; empty when asked by GPU
 * @param gpuModel the GPU in our spelling
 * @param gpuCount how many, all in one machine
 * @param region where; empty: anywhere
 */
public record Want(String sku, String gpuModel, int gpuCount, Optional<Region> region, Tier tier) {}
