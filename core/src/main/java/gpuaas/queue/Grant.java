package gpuaas.queue;

import gpuaas.spi.Offer;
import java.util.List;

/**
 * What is held for a waiting lease whose turn has come.
 *
 * @param offer with the number of GPUs wanted
 * @param node where; empty: the provider chooses
 * @param gpuIds the GPUs of that node; empty without one
 */
public record Grant(Offer offer, String node, List<String> gpuIds) {

  public Grant {
    gpuIds = List.copyOf(gpuIds);
  }

  /** Without a node the provider chooses the GPUs; what is claimed then is the offer itself. */
  static Grant of(Line.Start start) {
    String node = start.choice().room().node();
    return new Grant(
        start.choice().room().offer().withGpuCount(start.waiter().want().gpuCount()),
        node,
        node.isEmpty() ? List.of() : start.choice().gpuIds());
  }
}
