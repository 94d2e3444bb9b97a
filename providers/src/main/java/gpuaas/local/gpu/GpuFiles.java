package gpuaas.local.gpu;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the kernel's own files say of GPUs. */
final class GpuFiles {

  private GpuFiles() {}

  /** The driver's folder below {@code /proc}: works without any library or tool. */
  static List<DriverGpu> list(Path driverFolder) throws IOException {
    List<DriverGpu> gpus = new ArrayList<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(driverFolder)) {
      for (Path folder : folders) {
        Map<String, String> facts = facts(folder.resolve("information"));
        gpus.add(
            new DriverGpu(
                facts.getOrDefault("GPU UUID", folder.getFileName().toString()),
                facts.getOrDefault("Model", ""),
                0,
                Integer.parseInt(facts.getOrDefault("Device Minor", "0"))));
      }
    } catch (NoSuchFileException absent) {
      throw new SourceFailure("no folder " + driverFolder);
    } catch (NumberFormatException unreadable) {
      throw new SourceFailure(driverFolder + " cannot be read: " + unreadable.getMessage());
    }
    gpus.sort(Comparator.comparingInt(DriverGpu::minor));
    return gpus;
  }

  private static Map<String, String> facts(Path file) throws IOException {
    Map<String, String> facts = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        facts.put(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
      }
    }
    return facts;
  }

  /** Devices on the PCI bus that are GPUs, driver or not; for the doctor's eyes. */
  static List<String> onPciBus(Path devices) {
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(devices)) {
      for (Path device : all) {
        String kind = Files.readString(device.resolve("class")).strip();
        String vendor = vendor(Files.readString(device.resolve("vendor")).strip());
        if (kind.matches("0x030[02].*") && !vendor.isEmpty()) {
          String driver = Files.exists(device.resolve("driver")) ? "with" : "without";
          found.add(vendor + " GPU at " + device.getFileName() + ", " + driver + " a driver");
        }
      }
    } catch (IOException unreadable) {
      return found;
    }
    return found;
  }

  private static String vendor(String number) {
    return switch (number.toLowerCase(Locale.ROOT)) {
      case "0x10de" -> "NVIDIA";
      case "0x1002" -> "AMD";
      default -> "";
    };
  }
}
