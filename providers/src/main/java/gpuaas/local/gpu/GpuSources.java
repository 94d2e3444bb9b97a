package gpuaas.local.gpu;

import gpuaas.local.linux.Command;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where to look for GPUs; a test looks elsewhere.
 *
 * @param nvmlLibrary NVIDIA's management library
 * @param nvidiaSmi NVIDIA's tool, if it is installed
 * @param driverFolder a folder for each GPU, from the driver
 * @param pciDevices a folder for each device on the bus
 * @param cdiFolders device descriptions
 */
public record GpuSources(
    String nvmlLibrary,
    Optional<Path> nvidiaSmi,
    Path driverFolder,
    Path pciDevices,
    List<Path> cdiFolders) {

  /** Those of this machine. */
  public static GpuSources ofThisMachine() {
    return new GpuSources(
        Nvml.LIBRARY,
        Command.find("nvidia-smi"),
        Path.of("/proc/driver/nvidia/gpus"),
        Path.of("/sys/bus/pci/devices"),
        CdiSpecs.FOLDERS);
  }

  private interface Source {
    List<DriverGpu> list() throws IOException;
  }

  /** The driver's GPUs from the first source that has any; each source adds to the findings. */
  List<DriverGpu> list(List<String> findings) {
    List<DriverGpu> gpus = new ArrayList<>();
    ask("NVML", () -> Nvml.list(nvmlLibrary), gpus, findings);
    if (nvidiaSmi.isPresent()) {
      ask("nvidia-smi", () -> NvidiaSmi.list(nvidiaSmi.get()), gpus, findings);
    } else {
      findings.add("nvidia-smi: not installed");
    }
    ask("driver files", () -> GpuFiles.list(driverFolder), gpus, findings);
    List<String> onBus = GpuFiles.onPciBus(pciDevices);
    findings.addAll(onBus.isEmpty() ? List.of("PCI bus: no GPU") : onBus);
    return gpus;
  }

  /** How busy the busiest of these GPUs is, in percent; empty when no source can say. */
  public Optional<Integer> busiest(List<String> uuids) {
    try {
      return Optional.of(Nvml.busiest(nvmlLibrary, uuids));
    } catch (IOException notByLibrary) {
      try {
        return nvidiaSmi.isPresent()
            ? Optional.of(NvidiaSmi.busiest(nvidiaSmi.get(), uuids))
            : Optional.empty();
      } catch (IOException notByProgram) {
        return Optional.empty();
      }
    }
  }

  private static void ask(String name, Source source, List<DriverGpu> gpus, List<String> findings) {
    if (!gpus.isEmpty()) {
      return;
    }
    try {
      gpus.addAll(source.list());
      findings.add(name + ": " + gpus.size() + " GPUs");
    } catch (IOException nothing) {
      findings.add(name + ": " + nothing.getMessage());
    }
  }
}
