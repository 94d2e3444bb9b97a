package gpuaas.local;

import gpuaas.local.disk.LocalDisks;
import gpuaas.local.gpu.GpuDevice;
import gpuaas.local.gpu.GpuInventory;
import gpuaas.local.gpu.GpuSources;
import gpuaas.local.image.Image;
import gpuaas.local.image.Images;
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
import gpuaas.spi.ProviderException;
import gpuaas.spi.ProviderException.OutcomeUnknown;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.ProviderException.Unavailable;
import gpuaas.spi.Resources;
import gpuaas.spi.disk.Disks;
import gpuaas.spi.disk.HasDisks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This machine as a provider. What an environment is, is in its folder; whether it lives, the
 * kernel says: so nothing is lost when this process ends, and the next one goes on with what it
 * finds.
 */
public final class LocalProvider
    implements Provider, HasNodes, HasExec, HasPorts, HasUtilization, HasDisks {

  private static final Logger LOG = LoggerFactory.getLogger(LocalProvider.class);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  private final ProviderConfig config;
  private final LocalNode node;
  private final EnvironmentFolders folders;
  private final Images images;
  private final Driver driver;
  private final GpuHoldings holdings;
  private final GpuSources sources;
  private final Optional<LocalDisks> disks;
  private final StepHook steps;
  private final KeyedLocks locks = new KeyedLocks();
  private final Set<String> starting = ConcurrentHashMap.newKeySet();

  private LocalProvider(
      ProviderConfig config,
      LocalNode node,
      EnvironmentFolders folders,
      Images images,
      Driver driver,
      GpuSources sources,
      Optional<LocalDisks> disks,
      StepHook steps) {
    this.config = config;
    this.node = node;
    this.folders = folders;
    this.images = images;
    this.driver = driver;
    this.holdings = new GpuHoldings(node.gpus().devices());
    this.sources = sources;
    this.disks = disks;
    this.steps = steps;
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
      LocalProvider provider =
          new LocalProvider(config, node, folders, chosen.images(), driver, sources, disks, steps);
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
      environment.ifPresent(this::adopt);
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

  private void adopt(Environment environment) {
    if (!environment.driver().equals(driver.name())) {
      // Another driver would neither see its processes nor end them.
      throw new IllegalArgumentException(
          "environment "
              + environment.id()
              + " was made by "
              + environment.driver()
              + ", and this provider would work with "
              + driver.name()
              + "; set driver="
              + environment.driver()
              + " until it is gone");
    }
    holdings.adopt(environment.id(), environment.gpuIds());
    if (!environment.homeDisk().isEmpty()) {
      disks.ifPresent(all -> all.adopt(environment.id(), environment.homeDisk()));
    }
  }

  @Override
  public List<NodeStatus> nodes() {
    return List.of(node.status());
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    Instant now = config.clock().instant();
    List<Offer> offers = new ArrayList<>();
    for (String model : node.models()) {
      boolean wanted = query.gpuModel().isEmpty() || query.gpuModel().equals(model);
      List<GpuDevice> all = node.devices(model);
      if (wanted && all.size() >= query.gpuCountLeast()) {
        offers.add(node.offer(all.getFirst().gpu(), all.size(), now));
      }
    }
    return offers.stream().limit(query.limit()).toList();
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    RequestCheck.check(request, node);
    String id = Environment.idFor(request.tag());
    InstanceRef instance = new InstanceRef(config.name(), id);
    try (KeyedLocks.Held _ = locks.hold(id)) {
      if (!folders.get(id).exists()) {
        make(id, request);
      }
    }
    return instance;
  }

  private void make(String id, InstanceRequest request) {
    EnvironmentFolder folder = folders.get(id);
    Image image = image(request.image());
    int count = request.offer().gpuCount();
    List<GpuDevice> gpus =
        holdings.take(id, request.offer().gpu().model(), count, request.gpuIds());
    takeDisk(id, request.homeDisk());
    starting.add(id);
    try {
      Resources resources = node.perGpu().times(count);
      Environment environment =
          new Environment(
              id,
              config.clock().instant().toString(),
              driver.name(),
              image.name(),
              request.hostName(),
              gpus.stream().map(GpuDevice::id).toList(),
              resources.milliCpus(),
              resources.memoryMib(),
              node.pidsLimit(),
              request.environment(),
              request.homeDisk().orElse(""));
      folder.make();
      steps.after(StepHook.Step.FOLDER);
      folder.write(environment);
      steps.after(StepHook.Step.STATE);
      driver.start(folder, environment, image, node.gpus().edits(gpus), home(request, image));
    } catch (IOException | RuntimeException failure) {
      undo(folder, failure);
    } finally {
      starting.remove(id);
    }
  }

  private void takeDisk(String id, Optional<String> disk) {
    if (disk.isPresent()) {
      try {
        disks
            .orElseThrow(() -> new Rejected("this machine keeps no disks: disk-pool-gib is 0"))
            .take(id, disk.get());
      } catch (ProviderException no) {
        holdings.release(id);
        throw no;
      }
    }
  }

  private Optional<Path> home(InstanceRequest request, Image image) throws IOException {
    if (request.homeDisk().isEmpty() || disks.isEmpty()) {
      return Optional.empty();
    }
    Path imageHome = image.root().resolve("root");
    return Optional.of(disks.get().home(request.homeDisk().get(), imageHome));
  }

  /** After this, either nothing is left, or the caller knows that something may be. */
  private void undo(EnvironmentFolder folder, Exception cause) {
    try {
      remove(folder);
    } catch (IOException | RuntimeException failure) {
      cause.addSuppressed(failure);
      throw new OutcomeUnknown("environment " + folder.id() + " is half made", cause);
    }
    throw new Unavailable("environment " + folder.id() + " did not start", cause);
  }

  private Image image(String name) {
    try {
      return images.find(name);
    } catch (IllegalArgumentException unknown) {
      throw new Rejected(String.valueOf(unknown.getMessage()));
    } catch (IOException failure) {
      throw new Unavailable("the image \"" + name + "\" cannot be used", failure);
    }
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    Optional<EnvironmentFolder> found = find(instance);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    EnvironmentFolder folder = found.get();
    if (starting.contains(folder.id())) {
      return Optional.of(new InstanceStatus.Starting(LOOK_AGAIN));
    }
    if (driver.isAlive(folder)) {
      return Optional.of(new InstanceStatus.Up(Optional.empty()));
    }
    if (!folder.exists()) {
      return Optional.empty();
    }
    return Optional.of(
        new InstanceStatus.Failed(
            "it is not running: its first process ended, the machine was restarted, or its"
                + " creation was interrupted"));
  }

  @Override
  public void destroy(InstanceRef instance) {
    if (!instance.provider().equals(config.name()) || Environment.tagOf(instance.id()).isEmpty()) {
      return;
    }
    String id = instance.id();
    try (KeyedLocks.Held _ = locks.hold(id)) {
      EnvironmentFolder folder = folders.get(id);
      if (folder.exists()) {
        remove(folder);
      }
    } catch (IOException failure) {
      throw new OutcomeUnknown("environment " + id + " is not quite gone", failure);
    }
  }

  /** The folder goes last: as long as anything is left, it says whose that is. */
  private void remove(EnvironmentFolder folder) throws IOException {
    driver.remove(folder);
    folder.delete();
    holdings.release(folder.id());
    disks.ifPresent(all -> all.release(folder.id()));
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
          simulated ? Optional.of(0) : sources.busiest(environment.gpuIds());
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
    disks.ifPresent(LocalDisks::close);
    images.close();
    driver.close();
    folders.close();
  }
}
