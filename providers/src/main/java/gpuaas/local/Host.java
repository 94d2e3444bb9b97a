package gpuaas.local;

import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this machine is.
 *
 * @param name its host name
 * @param kernel the kernel's release
 * @param bootId differs after every boot
 * @param root whether this process may do everything here
 */
public record Host(
    String name, String kernel, String bootId, int processors, int memoryMib, boolean root) {

  private static final Path KERNEL = Path.of("/proc/sys/kernel");

  /** Looks at this machine. */
  public static Host read() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      long memoryKib =
          lines
              .filter(line -> line.startsWith("MemTotal:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElse(0);
      return new Host(
          Files.readString(KERNEL.resolve("hostname")).strip(),
          Files.readString(KERNEL.resolve("osrelease")).strip(),
          Files.readString(KERNEL.resolve("random/boot_id")).strip(),
          Runtime.getRuntime().availableProcessors(),
          Math.toIntExact(memoryKib / 1024),
          SystemCalls.isRoot());
    } catch (IOException failure) {
      throw new IllegalStateException(
          "this machine cannot be read; the local provider needs Linux with /proc", failure);
    }
  }
}
