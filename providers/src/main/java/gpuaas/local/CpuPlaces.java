package gpuaas.local;

import gpuaas.local.gpu.GpuDevice;
import gpuaas.spi.Gpu;
import gpuaas.spi.Money;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import gpuaas.spi.Resources;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Places on this machine for environments without GPUs. In the lists of GPUs they stand behind
 * those, one device for each place.
 *
 * @param count of each node; 0: none
 * @param milliCpus of each; empty: {@link #SHARE_PERCENT} of the processors split, one at least
 * @param memoryMib of each; empty: {@link #SHARE_PERCENT} of the memory split
 */
public record CpuPlaces(
    int count, Optional<Integer> milliCpus, Optional<Integer> memoryMib, Money pricePerHour) {

  /** So much of a machine all its places get that nothing was said of, and GPUs do not. */
  static final int SHARE_PERCENT = 10;

  private static final int MOST = 64;
  private static final int LEAST_MILLI_CPUS = 1000;
  private static final String ID = "CPU-PLACE-";

  /** Every setting. */
  static final List<Setting> ALL =
      List.of(
          setting("cpu-places", "Environments without GPUs at once, on each node; 0: none.", "3"),
          setting("cpus-per-cpu-place", "Processors of each; default: a tenth, split.", ""),
          setting("memory-per-cpu-place-mib", "Memory of each; default: a tenth, split.", ""),
          setting("price-per-cpu-place-hour", "What one costs for an hour, in USD.", "0"));

  static CpuPlaces parse(ProviderConfig config) {
    return new CpuPlaces(
        LocalSettings.number("cpu-places", config.get("cpu-places", "3"), 0, MOST),
        config
            .find("cpus-per-cpu-place")
            .map(text -> LocalSettings.milliCpus("cpus-per-cpu-place", text)),
        config
            .find("memory-per-cpu-place-mib")
            .map(text ->
                LocalSettings.number(
                    "memory-per-cpu-place-mib", text, LocalSettings.LEAST_MEMORY_MIB, 16_777_216)),
        LocalSettings.price(
            "price-per-cpu-place-hour", config.get("price-per-cpu-place-hour", "0")));
  }

  /** What they are called on a machine like this; empty: there are none on such. */
  static Optional<Gpu> kind(String architecture) {
    return switch (architecture) {
      case "amd64", "x86_64" -> Optional.of(Gpu.cpuPlace("X86"));
      case "aarch64", "arm64" -> Optional.of(Gpu.cpuPlace("ARM"));
      default -> Optional.empty();
    };
  }

  /** Whether an id of a device is that of such a place. */
  static boolean isPlace(String deviceId) {
    return deviceId.startsWith(ID);
  }

  /**
   * All of them.
   *
   * @param gpus how many GPUs come before them
   */
  List<GpuDevice> devices(int nodes, int gpus) {
    return kind(System.getProperty("os.arch", "")).stream()
        .flatMap(kind ->
            IntStream.range(0, Math.multiplyExact(nodes, count))
                .mapToObj(number -> new GpuDevice(ID + number, gpus + number, kind, true)))
        .toList();
  }

  /** In percent, what GPUs get that nothing was said of. */
  int percentForGpus() {
    return count == 0 ? 100 : 100 - SHARE_PERCENT;
  }

  /** What one of them has. */
  Resources each(Host host) {
    int places = Math.max(1, count);
    return new Resources(
        milliCpus.orElse(
            Math.max(LEAST_MILLI_CPUS, host.processors() * 10 * SHARE_PERCENT / places)),
        memoryMib.orElse(
            Math.max(
                LocalSettings.LEAST_MEMORY_MIB, host.memoryMib() / 100 * SHARE_PERCENT / places)),
        0);
  }

  private static Setting setting(String name, String meaning, String fallback) {
    return new Setting(name, meaning, fallback, false);
  }
}
