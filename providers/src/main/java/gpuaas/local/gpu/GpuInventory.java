package gpuaas.local.gpu;

import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.Gpu;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * @param edits what a container needs for each, by the device's id
 * @param findings what each source said, for the doctor
 */
public record GpuInventory(
    List<GpuDevice> devices,
    GpuMode mode,
    Map<String, ContainerEdits> edits,
    List<String> findings) {

  /** What every NVIDIA program opens beside its own device, when no CDI says so better. */
  private static final List<String> SHARED_DEVICES =
      List.of("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset");

  public GpuInventory {
    devices = List.copyOf(devices);
    edits = Map.copyOf(edits);
    findings = List.copyOf(findings);
  }

  /** The GPUs that the sources know; the declared ones if they know none. */
  public static GpuInventory find(List<Gpu> declared, GpuSources sources) {
    List<String> findings = new ArrayList<>();
    List<DriverGpu> known = sources.list(findings);
    CdiSpecs cdi = CdiSpecs.load(sources.cdiFolders());
    findings.addAll(cdi.findings());
    if (!known.isEmpty()) {
      return ofDriver(known, cdi, findings);
    }
    if (!cdi.numbers().isEmpty()) {
      return ofCdi(cdi, findings);
    }
    return declared(declared, findings);
  }

  private static GpuInventory ofDriver(List<DriverGpu> known, CdiSpecs cdi, List<String> findings) {
    List<GpuDevice> devices = new ArrayList<>();
    Map<String, ContainerEdits> edits = new TreeMap<>();
    for (DriverGpu driver : known) {
      int index = devices.size();
      ContainerEdits needed =
          cdi.find(driver.uuid(), index).orElseGet(() -> plainEdits(driver.minor()));
      devices.add(new GpuDevice(driver.uuid(), index, driver.gpu(), isThere(needed)));
      edits.put(driver.uuid(), needed);
    }
    return new GpuInventory(devices, GpuMode.PASSTHROUGH, edits, findings);
  }

  private static GpuInventory ofCdi(CdiSpecs cdi, List<String> findings) {
    List<GpuDevice> devices = new ArrayList<>();
    Map<String, ContainerEdits> edits = new TreeMap<>();
    for (String name : cdi.numbers()) {
      String id = "CDI-" + name;
      ContainerEdits needed = cdi.find(name, Integer.parseInt(name)).orElse(ContainerEdits.NONE);
      Gpu unknown = new Gpu("NVIDIA", "GPU", 0);
      devices.add(new GpuDevice(id, Integer.parseInt(name), unknown, isThere(needed)));
      edits.put(id, needed);
    }
    return new GpuInventory(devices, GpuMode.PASSTHROUGH, edits, findings);
  }

  /** GPUs that are declared and not there. */
  public static GpuInventory declared(List<Gpu> gpus, List<String> findings) {
    List<GpuDevice> devices = new ArrayList<>();
    for (Gpu gpu : gpus) {
      int index = devices.size();
      devices.add(new GpuDevice("SIM-" + gpu.model() + "-" + index, index, gpu, true));
    }
    return new GpuInventory(devices, GpuMode.SIMULATED, Map.of(), findings);
  }

  /** The device files alone: enough for a program that brings its own driver libraries. */
  private static ContainerEdits plainEdits(int minor) {
    List<String> paths = new ArrayList<>(List.of("/dev/nvidia" + minor));
    SHARED_DEVICES.stream().filter(path -> Files.exists(Path.of(path))).forEach(paths::add);
    return new ContainerEdits(
        paths.stream().map(path -> new ContainerEdits.DeviceNode(path, path, "rw")).toList(),
        List.of(),
        Map.of(),
        List.of());
  }

  private static boolean isThere(ContainerEdits edits) {
    return edits.devices().stream().allMatch(device -> Files.exists(Path.of(device.hostPath())));
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
    Map<String, String> variables = new TreeMap<>();
    if (mode == GpuMode.SIMULATED && !chosen.isEmpty()) {
      variables.put("GPUAAS_GPUS_SIMULATED", "1");
    }
    ContainerEdits all = ContainerEdits.NONE;
    for (GpuDevice device : chosen) {
      all = all.and(edits.getOrDefault(device.id(), ContainerEdits.NONE));
    }
    String ids = chosen.stream().map(GpuDevice::id).collect(Collectors.joining(","));
    // An image may say that it wants all; void means none, also to NVIDIA's own tools.
    variables.put("NVIDIA_VISIBLE_DEVICES", ids.isEmpty() ? "void" : ids);
    return all.and(new ContainerEdits(List.of(), List.of(), variables, List.of()));
  }
}
