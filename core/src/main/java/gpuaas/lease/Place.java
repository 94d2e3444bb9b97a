package gpuaas.lease;

import gpuaas.spi.Offer;
import java.util.List;

/**
 * Where a lease was placed.
 *
 * @param offer the offer, with the number of GPUs taken
 * @param node the node; empty when the provider chooses
 * @param gpuIds the GPUs of that node; empty when the provider chooses
 */
public record Place(Offer offer, String node, List<String> gpuIds) {

  public Place {
    gpuIds = List.copyOf(gpuIds);
  }
}
