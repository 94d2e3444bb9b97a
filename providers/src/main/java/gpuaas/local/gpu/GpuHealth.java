package gpuaas.local.gpu;

import gpuaas.spi.Assurance.GpuMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which GPUs cannot be used at present: those that the driver has lost, and those that somebody has
 * set aside by writing their ids into a file, one to a line.
 */
public final class GpuHealth {

  private static final Logger LOG = LoggerFactory.getLogger(GpuHealth.class);

  /** In the provider's folder. */
  private static final String SET_ASIDE = "quarantined-gpus";

  private static final long FILE_BYTES_MOST = 1 << 20;

  private final Path setAside;
  private final GpuSources sources;
  private final GpuInventory gpus;

  /**
   * @param folder the provider's own
   */
  public GpuHealth(Path folder, GpuSources sources, GpuInventory gpus) {
    this.setAside = folder.resolve(SET_ASIDE);
    this.sources = sources;
    this.gpus = gpus;
  }

  /** Their ids. */
  public Set<String> unusable() {
    Set<String> ids = new HashSet<>(setAside());
    if (gpus.mode() == GpuMode.PASSTHROUGH) {
      ids.addAll(lost());
    }
    return ids;
  }

  private Set<String> setAside() {
    try {
      if (!Files.exists(setAside) || Files.size(setAside) > FILE_BYTES_MOST) {
        return Set.of();
      }
      return Files.readAllLines(setAside).stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .collect(Collectors.toSet());
    } catch (IOException unreadable) {
      LOG.warn("{} cannot be read; no GPU is set aside by it", setAside, unreadable);
      return Set.of();
    }
  }

  /** Known to the driver at the start, and not any more. A driver that says nothing lost none. */
  private Set<String> lost() {
    List<String> findings = new ArrayList<>();
    Set<String> there =
        sources.list(findings).stream().map(DriverGpu::uuid).collect(Collectors.toSet());
    if (there.isEmpty()) {
      return Set.of();
    }
    return gpus.devices().stream()
        .map(GpuDevice::id)
        .filter(id -> !there.contains(id))
        .collect(Collectors.toSet());
  }
}
