package gpuaas.local.gpu;

import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.Gpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The GPUs of this machine.
 *
 * @param devices in order of their number
 * @param mode what stands behind them
 * @param findings what each source said, for the doctor
 */
public record GpuInventory(List<GpuDevice> devices, GpuMode mode, List<String> findings) {

  public GpuInventory {
    devices = List.copyOf(devices);
    findings = List.copyOf(findings);
  }

  /** The GPUs that are there; the declared ones if there are none, or none are looked for. */
  public static GpuInventory find(List<Gpu> declared, boolean discovery) {
    return declared(declared, List.of());
  }

  /** GPUs that are declared and not there. */
  public static GpuInventory declared(List<Gpu> gpus, List<String> findings) {
    List<GpuDevice> devices = new ArrayList<>();
    for (Gpu gpu : gpus) {
      int index = devices.size();
      devices.add(new GpuDevice("SIM-" + gpu.model() + "-" + index, index, gpu, true));
    }
    return new GpuInventory(devices, GpuMode.SIMULATED, findings);
  }

  /** How many of each model, in a few words. */
  public String summary() {
    Map<String, Long> counts =
        devices.stream()
            .collect(
                Collectors.groupingBy(
                    device -> device.gpu().model(), TreeMap::new, Collectors.counting()));
    String text =
        counts.entrySet().stream()
            .map(entry -> entry.getValue() + "x " + entry.getKey())
            .collect(Collectors.joining(", "));
    return mode == GpuMode.SIMULATED ? text + " (declared, simulated)" : text;
  }

  /** What a container needs to use exactly these of our GPUs. */
  public ContainerEdits edits(List<GpuDevice> chosen) {
    String ids = chosen.stream().map(GpuDevice::id).collect(Collectors.joining(","));
    return new ContainerEdits(
        List.of(),
        List.of(),
        Map.of("GPUAAS_GPUS_SIMULATED", "1", "NVIDIA_VISIBLE_DEVICES", ids),
        List.of());
  }
}
