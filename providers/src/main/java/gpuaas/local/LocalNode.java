package gpuaas.local;

import gpuaas.local.gpu.GpuDevice;
import gpuaas.local.gpu.GpuInventory;
import gpuaas.spi.Assurance;
import gpuaas.spi.Gpu;
import gpuaas.spi.HasNodes.NodeGpu;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.Region;
import gpuaas.spi.Resources;
import gpuaas.spi.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * This machine in the words of the spi.
 *
 * @param provider the provider's name
 * @param nodes how many it passes for
 * @param total what all environments together may have
 * @param devices all GPUs, and behind them the places without GPUs
 * @param perGpu what comes with each GPU
 * @param perPlace what a place without GPUs has
 */
record LocalNode(
    String provider,
    String name,
    int nodes,
    Region region,
    GpuInventory gpus,
    List<GpuDevice> devices,
    Resources total,
    Resources perGpu,
    Resources perPlace,
    int pidsLimit,
    Money pricePerGpuHour,
    Money pricePerPlaceHour,
    Assurance assurance) {

  private static final int MEMORY_PERCENT = 85;
  private static final int LEAST_MILLI_CPUS = 1000;
  private static final long MIB = 1L << 20;

  static LocalNode of(
      ProviderConfig config, LocalSettings settings, Assurance assurance, GpuInventory gpus)
      throws IOException {
    Host host = Host.read();
    int count = Math.max(1, gpus.devices().size());
    CpuPlaces places = settings.cpuPlaces();
    int memoryMib = host.memoryMib() / 100 * MEMORY_PERCENT;
    int kept = 100 - places.percentForGpus();
    int gpuMemoryMib = host.memoryMib() / 100 * (MEMORY_PERCENT - kept);
    long freeMib = Files.getFileStore(config.dataFolder()).getUsableSpace() / MIB;
    int diskMib = (int) Math.min(freeMib, Integer.MAX_VALUE);
    Resources perGpu =
        new Resources(
            settings
                .milliCpusPerGpu()
                .orElse(Math.max(LEAST_MILLI_CPUS, host.processors() * 10 * (100 - kept) / count)),
            settings
                .memoryPerGpuMib()
                .orElse(Math.max(LocalSettings.LEAST_MEMORY_MIB, gpuMemoryMib / count)),
            settings.diskPerGpuMib().orElse(diskMib / count));
    List<GpuDevice> devices = new ArrayList<>(gpus.devices());
    devices.addAll(places.devices(settings.nodes(), devices.size()));
    return new LocalNode(
        config.name(),
        host.name(),
        settings.nodes(),
        settings.region(),
        gpus,
        List.copyOf(devices),
        new Resources(host.processors() * 1000, memoryMib, diskMib),
        perGpu,
        places.each(host),
        settings.pidsLimit(),
        settings.pricePerGpuHour(),
        places.pricePerHour(),
        assurance);
  }

  /** Every model, once. */
  List<String> models() {
    return devices.stream().map(device -> device.gpu().model()).distinct().toList();
  }

  /** All of one model, whoever holds them. */
  List<GpuDevice> devices(String model) {
    return devices.stream().filter(device -> device.gpu().model().equals(model)).toList();
  }

  /** What comes with one of a model. */
  Resources each(String model) {
    return Gpu.isCpuPlace(model) ? perPlace : perGpu;
  }

  /**
   * What stands at any time; which GPUs are free is told by {@link #status} and by who holds them.
   */
  Offer offer(Gpu gpu, int all, Instant now) {
    return new Offer(
        name + ":" + gpu.model().toLowerCase(Locale.ROOT).replace(' ', '-'),
        provider,
        region,
        gpu,
        1,
        all,
        Tier.ON_DEMAND,
        Gpu.isCpuPlace(gpu.model()) ? pricePerPlaceHour : pricePerGpuHour,
        each(gpu.model()),
        assurance,
        now);
  }

  /**
   * Each node that it passes for, with its part of the GPUs.
   *
   * @param unusable ids of GPUs that are there, and cannot be used now
   */
  List<NodeStatus> statuses(Set<String> unusable) {
    return IntStream.range(0, nodes).mapToObj(number -> status(number, unusable)).toList();
  }

  /** Whether this is one of its nodes. */
  boolean isNode(String text) {
    return IntStream.range(0, nodes).mapToObj(this::nodeName).anyMatch(text::equals);
  }

  /** The most GPUs of a model in one of its nodes. */
  int most(String model) {
    return statuses(Set.of()).stream()
        .mapToInt(
            one -> (int) one.gpus().stream().filter(gpu -> gpu.gpu().model().equals(model)).count())
        .max()
        .orElse(0);
  }

  private String nodeName(int number) {
    return number == 0 ? name : name + "-" + (number + 1);
  }

  private NodeStatus status(int number, Set<String> unusable) {
    int count = gpus.devices().size();
    List<NodeGpu> all = new ArrayList<>();
    part(devices.subList(0, count), number).forEach(device -> all.add(gpu(device, unusable)));
    boolean usable = all.stream().anyMatch(NodeGpu::healthy);
    part(devices.subList(count, devices.size()), number)
        .forEach(device -> all.add(gpu(device, unusable)));
    return new NodeStatus(
        nodeName(number),
        region,
        all,
        total,
        assurance,
        all.stream().anyMatch(NodeGpu::healthy),
        usable ? "" : "no GPU of this machine can be used; run: ./gpuaas host doctor");
  }

  private List<GpuDevice> part(List<GpuDevice> all, int number) {
    return IntStream.range(0, all.size())
        .filter(position -> position * nodes / all.size() == number)
        .mapToObj(all::get)
        .toList();
  }

  private static NodeGpu gpu(GpuDevice device, Set<String> unusable) {
    boolean healthy = device.healthy() && !unusable.contains(device.id());
    return new NodeGpu(device.id(), device.index(), device.gpu(), healthy);
  }
}
