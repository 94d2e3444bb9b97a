package gpuaas.spi;

import java.util.List;

/** A provider whose machines we can see and place on ourselves. */
public interface HasNodes {

  /** Every node, with what it has and how it is. */
  List<NodeStatus> nodes();

  /**
   * A machine with GPUs.
   *
   * @param name unique within the provider
   * @param gpus and, behind them, its places without GPUs: see {@link Gpu#cpuPlace}
   * @param total what can be given to instances
   * @param schedulable false: it goes on with what it has, and gets nothing new
   * @param message why, when something is not as it should be; empty otherwise
   */
  record NodeStatus(
      String name,
      Region region,
      List<NodeGpu> gpus,
      Resources total,
      Assurance assurance,
      boolean schedulable,
      String message) {

    public NodeStatus {
      gpus = List.copyOf(gpus);
    }
  }

  /**
   * One GPU of a node.
   *
   * @param id unique within the node and stable: a UUID of the device, where it has one
   * @param index its number on the node, from 0
   */
  record NodeGpu(String id, int index, Gpu gpu, boolean healthy) {}
}
