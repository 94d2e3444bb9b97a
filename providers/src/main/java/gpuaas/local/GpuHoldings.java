package gpuaas.local;

import gpuaas.local.gpu.GpuDevice;
import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.Rejected;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which environment holds which GPU. The last guard: a GPU has one holder, whoever asks. */
final class GpuHoldings {

  private final List<GpuDevice> devices;
  private final Map<String, String> holders = new HashMap<>();

  GpuHoldings(List<GpuDevice> devices) {
    this.devices = devices;
  }

  /** Notes what an environment of an earlier process holds. */
  synchronized void adopt(String environment, List<String> gpuIds) {
    gpuIds.forEach(gpu -> holders.putIfAbsent(gpu, environment));
  }

  /**
   * Takes these GPUs, or any free ones of the model when none are named.
   *
   * @throws NoCapacity when one is held, is broken, or too few are free
   * @throws Rejected when there is no such GPU here
   */
  synchronized List<GpuDevice> take(
      String environment, String model, int count, List<String> gpuIds) {
    List<GpuDevice> chosen =
        gpuIds.isEmpty()
            ? free(model).stream().limit(count).toList()
            : gpuIds.stream().distinct().map(id -> find(id, model)).toList();
    if (chosen.size() != count) {
      throw gpuIds.isEmpty()
          ? new NoCapacity(count + " GPUs " + model + " wanted, " + chosen.size() + " free")
          : new Rejected(count + " GPUs wanted, and " + chosen.size() + " named");
    }
    for (GpuDevice device : chosen) {
      String holder = holders.get(device.id());
      if (holder != null && !holder.equals(environment)) {
        throw new NoCapacity("GPU " + device.id() + " is held by environment " + holder);
      }
      if (!device.healthy()) {
        throw new NoCapacity("GPU " + device.id() + " does not work at present");
      }
    }
    chosen.forEach(device -> holders.put(device.id(), environment));
    return chosen;
  }

  /** Gives back everything that an environment holds. */
  synchronized void release(String environment) {
    holders.values().removeIf(environment::equals);
  }

  /** What could be taken of a model, in order of number. */
  synchronized List<GpuDevice> free(String model) {
    return devices.stream()
        .filter(device -> device.healthy() && device.gpu().model().equals(model))
        .filter(device -> !holders.containsKey(device.id()))
        .toList();
  }

  private GpuDevice find(String id, String model) {
    return devices.stream()
        .filter(device -> device.id().equals(id) && device.gpu().model().equals(model))
        .findFirst()
        .orElseThrow(() -> new Rejected("this machine has no GPU " + id + " of model " + model));
  }
}
