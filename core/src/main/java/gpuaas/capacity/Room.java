package gpuaas.capacity;

import gpuaas.spi.Offer;
import java.util.List;

/**
 * What is free in one place.
 *
 * @param offer the offer it is free under; its {@code gpuCountMost} is all there could ever be
 * @param node the node; empty when the provider chooses
 * @param freeGpuIds the free GPUs of that node, in their order; without a node names of ours, so
 *     that two leases never take one offer
 */
public record Room(Offer offer, String node, List<String> freeGpuIds) {

  public Room {
    freeGpuIds = List.copyOf(freeGpuIds);
  }

  /** True for a market's machine, which is rented with all its GPUs or not at all. */
  public boolean isWhole() {
    return node.isEmpty() && offer.gpuCount() == offer.gpuCountMost();
  }

  /** Without these GPUs. */
  Room without(List<String> taken) {
    return new Room(offer, node, freeGpuIds.stream().filter(gpu -> !taken.contains(gpu)).toList());
  }
}
