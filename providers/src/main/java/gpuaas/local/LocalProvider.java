package gpuaas.local;

import gpuaas.local.disk.LocalDisks;
import gpuaas.local.gpu.GpuDevice;
import gpuaas.local.gpu.GpuHealth;
import gpuaas.local.gpu.GpuInventory;
import gpuaas.local.gpu.GpuSources;
import gpuaas.local.image.Images;
import gpuaas.local.image.registry.RegistryImages;
import gpuaas.spi.Assurance;
import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasNodes;
import gpuaas.spi.HasPorts;
import gpuaas.spi.HasUtilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException.OutcomeUnknown;
import gpuaas.spi.ProviderException.Unavailable;
import gpuaas.spi.disk.Disks;
import gpuaas.spi.disk.HasDisks;
import gpuaas.spi.gang.HasGangs;
import gpuaas.spi.restart.HasRestart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This machine as a provider. What an environment is, is in its folder; whether it lives, the
 * kernel says: so nothing is lost when this process ends, and the next one goes on with what it
 * finds.
 */
public final class LocalProvider
    implements Provider,
        HasNodes,
        HasExec,
        HasPorts,
        HasUtilization,
        HasDisks,
        HasGangs,
        HasRestart {

  private static final Logger LOG = LoggerFactory.getLogger(LocalProvider.class);

  private final ProviderConfig config;
  private final LocalNode node;
  private final EnvironmentFolders folders;
  private final Images images;
  private final Driver driver;
  private final GpuSources sources;
  private final GpuHealth health;
  private final Optional<LocalDisks> disks;
  private final EnvironmentMaker maker;

  private LocalProvider(
      ProviderConfig config,
      LocalNode node,
      EnvironmentFolders folders,
      Images images,
      Driver driver,
      GpuSources sources,
      Optional<LocalDisks> disks,
      EnvironmentMaker maker) {
    this.config = config;
    this.node = node;
    this.folders = folders;
    this.images = images;
    this.driver = driver;
    this.sources = sources;
    this.health = new GpuHealth(config.dataFolder(), sources, node.gpus());
    this.disks = disks;
    this.maker = maker;
  }

  /** Opens it, and takes up the environments that are there. */
  static LocalProvider open(
      ProviderConfig config, LocalSettings settings, GpuSources sources, StepHook steps) {
    EnvironmentFolders folders = null;
    try {
      Files.createDirectories(config.dataFolder());
      folders = EnvironmentFolders.open(config.dataFolder());
      Runtimes runtimes = Runtimes.of(config.dataFolder(), settings);
      ProbeMemory memory = ProbeMemory.open(config.dataFolder(), runtimes.host());
      Runtimes.Chosen chosen = runtimes.choose(memory, steps);
      GpuInventory gpus = runtimes.gpus(sources);
      Probe.Finding proved = chosen.finding();
      Assurance assurance = new Assurance(proved.isolation(), proved.limits(), gpus.mode());
      LocalNode node = LocalNode.of(config, settings, assurance, gpus);
      Driver driver = chosen.driver();
      Optional<LocalDisks> disks =
          runtimes
              .disks(driver.keepsQuotas(), driver.name(), memory)
              .map(place -> new LocalDisks(config.name(), config.clock(), place, steps::afterDisk));
      RegistryImages registryImages = runtimes.registryImages(config.clock(), steps);
      String instead = settings.registries().instead();
      Images images = chosen.images();
      EnvironmentMaker maker =
          new EnvironmentMaker(
              config, node, folders, images, registryImages, instead, driver, disks, steps);
      LocalProvider provider =
          new LocalProvider(config, node, folders, images, driver, sources, disks, maker);
      provider.adopt();
      return provider;
    } catch (IOException failure) {
      close(folders);
      throw new UncheckedIOException("the local provider cannot be opened", failure);
    } catch (RuntimeException failure) {
      close(folders);
      throw failure;
    }
  }

  private static void close(@Nullable EnvironmentFolders folders) {
    if (folders != null) {
      folders.close();
    }
  }

  private void adopt() throws IOException {
    int alive = 0;
    for (EnvironmentFolder folder : folders.list()) {
      Optional<Environment> environment = folder.read();
      if (environment.isPresent()) {
        maker.adopt(folder, environment.get());
      }
      alive += driver.isAlive(folder) ? 1 : 0;
    }
    disks.ifPresent(LocalDisks::openIfThere);
    LOG.info(
        "{}: {} by {}, isolation {}, limits {}; {} environments found, {} of them running",
        config.name(),
        node.gpus().summary(),
        driver.name(),
        node.assurance().isolation(),
        node.assurance().limitsEnforced(),
        folders.list().size(),
        alive);
  }

  @Override
  public List<NodeStatus> nodes() {
    return node.statuses(health.unusable());
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    Instant now = config.clock().instant();
    List<Offer> offers = new ArrayList<>();
    for (String model : node.models()) {
      boolean wanted = query.gpuModel().isEmpty() || query.gpuModel().equals(model);
      List<GpuDevice> all = node.devices(model);
      if (wanted && node.most(model) >= query.gpuCountLeast()) {
        offers.add(node.offer(all.getFirst().gpu(), node.most(model), now));
      }
    }
    return offers.stream().limit(query.limit()).toList();
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    RequestCheck.check(request, node);
    RequestCheck.checkGang(request, driver);
    String id = Environment.idFor(request.tag());
    InstanceRef instance = new InstanceRef(config.name(), id);
    maker.make(id, request);
    return instance;
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    Optional<EnvironmentFolder> found = find(instance);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    EnvironmentFolder folder = found.get();
    Optional<InstanceStatus.Starting> starting = maker.starting(folder.id());
    if (starting.isPresent()) {
      return Optional.of(starting.get());
    }
    if (driver.isAlive(folder)) {
      return Optional.of(new InstanceStatus.Up(Optional.empty(), driver.memoryKills(folder)));
    }
    if (!folder.exists()) {
      return Optional.empty();
    }
    String interrupted =
        "it is not running: its first process ended, the machine was restarted, or its"
            + " creation was interrupted";
    return Optional.of(new InstanceStatus.Failed(folder.failure().orElse(interrupted)));
  }

  @Override
  public void destroy(InstanceRef instance) {
    if (!instance.provider().equals(config.name()) || Environment.tagOf(instance.id()).isEmpty()) {
      return;
    }
    String id = instance.id();
    try {
      maker.remove(id);
    } catch (IOException failure) {
      throw new OutcomeUnknown("environment " + id + " is not quite gone", failure);
    }
  }

  @Override
  public boolean canRestart() {
    return driver.startsAgain();
  }

  @Override
  public void restart(InstanceRef instance, int number) {
    Optional<EnvironmentFolder> folder = find(instance);
    if (folder.isPresent()) {
      try {
        maker.restart(folder.get(), number);
      } catch (IOException | UncheckedIOException failure) {
        throw new Unavailable("environment " + instance.id() + " did not start again", failure);
      }
    }
  }

  @Override
  public List<Owned> list(String deployment) {
    List<Owned> owned = new ArrayList<>();
    for (EnvironmentFolder folder : folders.list()) {
      Optional<OwnerTag> tag = Environment.tagOf(folder.id());
      if (tag.isPresent() && tag.get().deployment().equals(deployment)) {
        InstanceRef instance = new InstanceRef(config.name(), folder.id());
        folder.createdAt().ifPresent(at -> owned.add(new Owned(instance, tag.get(), at)));
      }
    }
    return owned;
  }

  @Override
  public ExecChannel exec(InstanceRef instance, ExecRequest request) {
    RequestCheck.check(request);
    try {
      return driver.exec(get(instance), request);
    } catch (IOException | UncheckedIOException failure) {
      throw new Unavailable("nothing can be started in " + instance.id(), failure);
    }
  }

  @Override
  public SocketChannel connect(InstanceRef instance, int port) throws IOException {
    return driver.connect(get(instance), port);
  }

  @Override
  public Utilization utilization(InstanceRef instance) {
    EnvironmentFolder folder = get(instance);
    try {
      Environment environment =
          folder.read().orElseThrow(() -> new Unavailable(instance.id() + " is not running", null));
      // More than this machine has, nobody can use.
      int milliCpus = Math.min(environment.milliCpus(), node.total().milliCpus());
      boolean simulated = node.assurance().gpuMode() == GpuMode.SIMULATED;
      Optional<Integer> gpuPercent =
          simulated || environment.gpus().isEmpty()
              ? Optional.of(0)
              : sources.busiest(environment.gpus());
      return new Utilization(driver.processorTime(folder), milliCpus, gpuPercent);
    } catch (IOException failure) {
      throw new Unavailable("what " + instance.id() + " is cannot be read", failure);
    }
  }

  private Optional<EnvironmentFolder> find(InstanceRef instance) {
    if (!instance.provider().equals(config.name()) || Environment.tagOf(instance.id()).isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(folders.get(instance.id())).filter(EnvironmentFolder::exists);
  }

  private EnvironmentFolder get(InstanceRef instance) {
    return find(instance)
        .filter(driver::isAlive)
        .orElseThrow(
            () -> new Unavailable("environment " + instance.id() + " is not running", null));
  }

  @Override
  public Optional<Disks> disks() {
    return disks.map(all -> all);
  }

  /** Lets go of this machine. Environments go on running. */
  @Override
  public void close() {
    maker.close();
    disks.ifPresent(LocalDisks::close);
    images.close();
    driver.close();
    folders.close();
  }
}
