package gpuaas.local;

import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.gpu.GpuModels;
import gpuaas.local.image.registry.RegistrySettings;
import gpuaas.spi.Gpu;
import gpuaas.spi.Money;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import gpuaas.spi.Region;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of a local provider, checked.
 *
 * @param declaredGpus what a machine without any GPU pretends to have
 * @param milliCpusPerGpu empty: the processors split over the GPUs, at least one each
 * @param memoryPerGpuMib empty: 85 % of the memory split over the GPUs
 * @param diskPerGpuMib empty: the free room split over the GPUs; not held to
 * @param pidsLimit processes and threads of one environment
 * @param diskPoolGib empty: a tenth of the free room; 0: no disks
 * @param nodes how many nodes this machine passes for, its GPUs split over them
 * @param gangNetwork the first three numbers of the addresses that members of a gang have
 * @param imageFolder where images are, one folder or squashfs file each
 * @param cpuPlaces for environments without GPUs
 * @param registries for images that come from elsewhere
 */
public record LocalSettings(
    Region region,
    List<Gpu> declaredGpus,
    boolean gpuDiscovery,
    Optional<Integer> milliCpusPerGpu,
    Optional<Integer> memoryPerGpuMib,
    Optional<Integer> diskPerGpuMib,
    int pidsLimit,
    Egress egress,
    int nodes,
    String gangNetwork,
    Path imageFolder,
    DriverChoice driver,
    Money pricePerGpuHour,
    Optional<Integer> diskPoolGib,
    Store diskStore,
    CpuPlaces cpuPlaces,
    RegistrySettings registries) {

  /** The least memory that an environment can live in. */
  public static final int LEAST_MEMORY_MIB = 64;

  /** Whether environments reach the network outside. */
  public enum Egress {
    /** By slirp4netns where it is installed, else not. */
    AUTO,
    OFF,
    SLIRP4NETNS
  }

  /** Which runtime makes the environments. */
  public enum DriverChoice {
    /** The best that was proved to work here. */
    AUTO,
    RUNC,
    BUBBLEWRAP
  }

  /** Every setting, for the settings page. */
  static final List<Setting> ALL =
      Stream.of(own(), CpuPlaces.ALL, RegistrySettings.ALL).flatMap(List::stream).toList();

  private static List<Setting> own() {
    return List.of(
        setting("region", "Where this machine is.", "us-buffalo-1"),
        setting("gpus", "GPUs declared for a machine without any, as 8xH200,4xH100.", "8xH200"),
        setting("gpu-discovery", "auto finds this machine's GPUs; off uses the declared.", "auto"),
        setting("cpus-per-gpu", "Processors with each GPU; default: all, split.", ""),
        setting("memory-per-gpu-mib", "Memory with each GPU; default: 85 %, split.", ""),
        setting("disk-per-gpu-mib", "Disk shown with each GPU; not held to.", ""),
        setting("pids-limit", "Processes and threads in one environment.", "1024"),
        setting("egress", "off or slirp4netns; auto: slirp4netns if installed.", "auto"),
        setting("nodes", "How many nodes this machine passes for, to try gangs.", "1"),
        setting("gang-network", "Where members of a gang see each other.", "10.88.0.0/24"),
        setting("image-folder", "Where images are; default: in the data folder.", ""),
        setting("driver", "auto, runc or bubblewrap.", "auto"),
        setting("disk-pool-gib", "Room for disks; 0: none; default: 10 %, 4 to 200.", ""),
        setting("disk-store", "auto, btrfs, or folders, which hold no size.", "auto"),
        setting("price-per-gpu-hour", "What one GPU costs for an hour, in USD.", "0"));
  }

  /**
   * Reads the settings.
   *
   * @throws IllegalArgumentException with a sentence that names the setting
   */
  static LocalSettings parse(ProviderConfig config) {
    for (String name : config.values().keySet()) {
      if (ALL.stream().noneMatch(setting -> setting.name().equals(name))) {
        throw new IllegalArgumentException(
            "the local provider has no setting \""
                + name
                + "\"; it has "
                + ALL.stream().map(Setting::name).collect(Collectors.joining(", ")));
      }
    }
    return new LocalSettings(
        region(config.get("region", "us-buffalo-1")),
        GpuModels.parse(config.get("gpus", "8xH200")),
        flag(config.get("gpu-discovery", "auto")),
        config.find("cpus-per-gpu").map(text -> milliCpus("cpus-per-gpu", text)),
        config
            .find("memory-per-gpu-mib")
            .map(text -> number("memory-per-gpu-mib", text, LEAST_MEMORY_MIB, 16_777_216)),
        config
            .find("disk-per-gpu-mib")
            .map(text -> number("disk-per-gpu-mib", text, 0, Integer.MAX_VALUE)),
        number("pids-limit", config.get("pids-limit", "1024"), 16, 1_000_000),
        choice("egress", config.get("egress", "auto"), Egress.class),
        number("nodes", config.get("nodes", "1"), 1, 64),
        gangNetwork(config.get("gang-network", "10.88.0.0/24")),
        config
            .find("image-folder")
            .map(Path::of)
            .orElse(config.dataFolder().resolve("images"))
            .toAbsolutePath(),
        choice("driver", config.get("driver", "auto"), DriverChoice.class),
        price("price-per-gpu-hour", config.get("price-per-gpu-hour", "0")),
        config.find("disk-pool-gib").map(text -> number("disk-pool-gib", text, 0, 1_000_000)),
        choice("disk-store", config.get("disk-store", "auto"), Store.class),
        CpuPlaces.parse(config),
        RegistrySettings.parse(config));
  }

  private static Region region(String code) {
    if (!code.matches("[a-z0-9][a-z0-9-]{0,39}")) {
      throw new IllegalArgumentException(
          "region: \"" + code + "\" must be of lower-case letters, digits and dashes");
    }
    return new Region(code);
  }

  private static String gangNetwork(String text) {
    if (!text.matches(
        "(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){2}\\.0/24")) {
      throw new IllegalArgumentException(
          "gang-network: \"" + text + "\" must be such as 10.88.0.0/24");
    }
    return text.substring(0, text.length() - ".0/24".length());
  }

  private static boolean flag(String text) {
    return switch (text) {
      case "auto" -> true;
      case "off" -> false;
      default ->
          throw new IllegalArgumentException(
              "gpu-discovery: \"" + text + "\" is neither auto nor off");
    };
  }

  static int milliCpus(String name, String text) {
    if (!text.matches("[0-9]{1,4}(\\.[0-9]{1,3})?") || Double.parseDouble(text) < 0.1) {
      throw new IllegalArgumentException(
          name + ": \"" + text + "\" must be a number from 0.1, such as 4 or 0.5");
    }
    return (int) Math.round(Double.parseDouble(text) * 1000);
  }

  static int number(String name, String text, int least, int most) {
    long value = text.matches("[0-9]{1,10}") ? Long.parseLong(text) : -1;
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + ": \"" + text + "\" must be a whole number from " + least + " to " + most);
    }
    return (int) value;
  }

  private static <E extends Enum<E>> E choice(String name, String text, Class<E> type) {
    for (E value : type.getEnumConstants()) {
      if (value.name().toLowerCase(Locale.ROOT).equals(text)) {
        return value;
      }
    }
    String known =
        Arrays.stream(type.getEnumConstants())
            .map(value -> value.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(name + ": \"" + text + "\" must be one of " + known);
  }

  static Money price(String name, String text) {
    if (!text.matches("[0-9]{1,6}(\\.[0-9]{1,6})?")) {
      throw new IllegalArgumentException(
          name + ": \"" + text + "\" must be a decimal in USD, such as 4.50");
    }
    return Money.usd(text);
  }

  private static Setting setting(String name, String meaning, String fallback) {
    return new Setting(name, meaning, fallback, false);
  }
}
