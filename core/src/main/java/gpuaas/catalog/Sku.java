package gpuaas.catalog;

import java.util.List;
import java.util.Map;

/**
 * A product of ours with a price.
 *
 * @param gpusTotal GPUs of a whole machine of this kind
 * @param allowedGpuCounts how many can be asked for
 * @param wholeMachine true when nobody else is on the machine
 */
public record Sku(
    String sku,
    String vendor,
    String displayName,
    String gpuModel,
    int gpusTotal,
    List<Integer> allowedGpuCounts,
    boolean wholeMachine,
    long pricePerGpuHourMicros,
    Map<String, Object> resourceProfile) {

  public Sku {
    allowedGpuCounts = List.copyOf(allowedGpuCounts);
    resourceProfile = Map.copyOf(resourceProfile);
  }
}
