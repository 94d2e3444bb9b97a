package gpuaas.local;

import gpuaas.local.disk.LocalDisks;
import gpuaas.local.gpu.GpuDevice;
import gpuaas.local.image.Image;
import gpuaas.local.image.Images;
import gpuaas.local.image.registry.PullFailed;
import gpuaas.local.image.registry.PullFailed.Reason;
import gpuaas.local.image.registry.Reference;
import gpuaas.local.image.registry.RegistryImages;
import gpuaas.local.image.registry.RegistryImages.Obtained;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus.Starting;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.ProviderException.OutcomeUnknown;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.ProviderException.Unavailable;
import gpuaas.spi.Resources;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes environments and takes them away. One whose image is here is made while the caller waits;
 * one whose image must be fetched has its folder at once, and the rest when the image has come.
 *
 * @param registryImages may be used only as {@link #requireRegistries} says
 */
record EnvironmentMaker(
    ProviderConfig config,
    LocalNode node,
    EnvironmentFolders folders,
    Images images,
    RegistryImages registryImages,
    String insteadOfRegistries,
    Driver driver,
    GpuHoldings holdings,
    Optional<LocalDisks> disks,
    StepHook steps,
    KeyedLocks locks,
    Set<String> starting,
    ConcurrentMap<String, Object> waiting,
    ExecutorService threads)
    implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EnvironmentMaker.class);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);
  private static final Duration LOOK_AGAIN_FOR_IMAGE = Duration.ofMillis(200);
  private static final long CLOSE_SECONDS = 60;

  /** With nothing in hand. */
  EnvironmentMaker(
      ProviderConfig config,
      LocalNode node,
      EnvironmentFolders folders,
      Images images,
      RegistryImages registryImages,
      String insteadOfRegistries,
      Driver driver,
      Optional<LocalDisks> disks,
      StepHook steps) {
    this(
        config,
        node,
        folders,
        images,
        registryImages,
        insteadOfRegistries,
        driver,
        new GpuHoldings(node.devices()),
        disks,
        steps,
        new KeyedLocks(),
        ConcurrentHashMap.newKeySet(),
        new ConcurrentHashMap<>(),
        Executors.newVirtualThreadPerTaskExecutor());
  }

  /** Makes it unless it is there; nothing is left of it when this throws a rejection. */
  void make(String id, InstanceRequest request) {
    try (KeyedLocks.Held _ = locks.hold(id)) {
      if (!folders.get(id).exists()) {
        makeNew(id, request);
      }
    }
  }

  /** Whether it is on its way up in this process, and when it is worth looking again. */
  Optional<Starting> starting(String id) {
    if (starting.contains(id)) {
      return Optional.of(new Starting(LOOK_AGAIN));
    }
    return waiting.containsKey(id)
        ? Optional.of(new Starting(LOOK_AGAIN_FOR_IMAGE))
        : Optional.empty();
  }

  /** Takes up one that an earlier process has made, or was about to make. */
  void adopt(EnvironmentFolder folder, Environment environment) throws IOException {
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
    String id = environment.id();
    if (!folder.isBeingMade()) {
      driver.adopt(folder, environment);
    }
    holdings.adopt(id, environment.gpuIds());
    if (!environment.homeDisk().isEmpty()) {
      disks.ifPresent(all -> all.adopt(id, environment.homeDisk()));
    }
    if (!environment.imageDigest().isEmpty()) {
      registryImages.adopt(id, environment.imageDigest());
    }
    boolean waits = environment.waitsForImage();
    if (folder.failure().isEmpty() && (waits || folder.isBeingMade())) {
      // Nobody uses one whose making was interrupted: it is made again, from the beginning.
      makeLater(folder, environment);
    }
  }

  /** What an image's name means. */
  private record Choice(String name, Optional<Image> own, String asked) {}

  private Choice choose(String name) {
    try {
      if (name.isEmpty() || images.list().contains(name)) {
        Image image = images.find(name);
        return new Choice(image.name(), Optional.of(image), "");
      }
      String reference = Reference.parse(name).text();
      if (!insteadOfRegistries.isEmpty()) {
        Image image = images.find(insteadOfRegistries);
        return new Choice(image.name(), Optional.of(image), reference);
      }
      requireRegistries(reference);
      return new Choice(reference, Optional.empty(), "");
    } catch (IllegalArgumentException unknown) {
      throw new Rejected(String.valueOf(unknown.getMessage()));
    } catch (IOException failure) {
      throw new Unavailable("the image \"" + name + "\" cannot be used", failure);
    }
  }

  private void requireRegistries(String reference) {
    if (!driver.name().equals("runc")) {
      throw new Rejected(
          "images of registries need root and runc; this machine has " + node.name());
    }
    RegistryImages.missing()
        .ifPresent(what -> {
          throw new Rejected(what);
        });
    registryImages.requireAllowed(reference);
  }

  private void makeNew(String id, InstanceRequest request) {
    EnvironmentFolder folder = folders.get(id);
    Choice choice = choose(request.image());
    int count = request.offer().gpuCount();
    List<GpuDevice> gpus =
        holdings.take(id, request.offer().gpu().model(), count, request.gpuIds());
    takeDisk(id, request.homeDisk());
    starting.add(id);
    try {
      Resources resources = node.each(request.offer().gpu().model()).times(count);
      Environment environment =
          new Environment(
              id,
              config.clock().instant().toString(),
              driver.name(),
              choice.name(),
              request.hostName(),
              gpus.stream().map(GpuDevice::id).toList(),
              resources.milliCpus(),
              resources.memoryMib(),
              node.pidsLimit(),
              request.environment(),
              request.homeDisk().orElse(""),
              choice.asked(),
              "",
              request.membership().orElse(null));
      folder.make();
      steps.after(StepHook.Step.FOLDER);
      folder.making();
      folder.write(environment);
      steps.after(StepHook.Step.STATE);
      if (choice.own().isPresent()) {
        start(folder, environment, choice.own().get());
      } else {
        makeWithRegistryImage(folder, environment);
      }
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

  private void start(EnvironmentFolder folder, Environment environment, Image image)
      throws IOException {
    List<GpuDevice> gpus =
        node.gpus().devices().stream()
            .filter(device -> environment.gpuIds().contains(device.id()))
            .toList();
    driver.start(
        folder, environment, image, node.gpus().edits(gpus), home(environment.homeDisk(), image));
    folder.made();
  }

  /** Ends what runs in it and starts it again with the files that it has, unless that was done. */
  void restart(EnvironmentFolder folder, int number) throws IOException {
    try (KeyedLocks.Held _ = locks.hold(folder.id())) {
      Optional<Environment> environment = folder.exists() ? folder.read() : Optional.empty();
      if (environment.isEmpty() || folder.isBeingMade() || folder.restarts() >= number) {
        return;
      }
      driver.remove(folder);
      start(folder, environment.get(), image(environment.get()));
      folder.restarted(number);
    }
  }

  /** The image that it was made with. */
  private Image image(Environment environment) throws IOException {
    return environment.hasRegistryImage()
        ? registryImages.kept(environment.image(), environment.imageDigest(), environment.id())
        : images.find(environment.image());
  }

  private Optional<Path> home(String disk, Image image) throws IOException {
    if (disk.isEmpty() || disks.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(disks.get().home(disk, image.root().resolve("root")));
  }

  private void makeWithRegistryImage(EnvironmentFolder folder, Environment environment)
      throws IOException {
    Optional<Obtained> here = registryImages.find(environment.image(), environment.id());
    if (here.isPresent()) {
      startPinned(folder, environment, here.get());
    } else {
      makeLater(folder, environment);
    }
  }

  private void startPinned(EnvironmentFolder folder, Environment environment, Obtained obtained)
      throws IOException {
    Environment pinned = environment.pinned(obtained.digest());
    folder.write(pinned);
    start(folder, pinned, obtained.image());
  }

  private void makeLater(EnvironmentFolder folder, Environment environment) {
    Object turn = new Object();
    waiting.put(environment.id(), turn);
    threads.execute(() -> fetchAndStart(folder, environment, turn));
  }

  private void fetchAndStart(EnvironmentFolder folder, Environment environment, Object turn) {
    String id = environment.id();
    try {
      if (!environment.hasRegistryImage()) {
        makeAgain(folder, environment, turn);
        return;
      }
      Obtained obtained = registryImages.obtain(environment.image(), id);
      try (KeyedLocks.Held _ = locks.hold(id)) {
        if (turn.equals(waiting.get(id))) {
          clear(folder);
          startPinned(folder, environment, obtained);
          waiting.remove(id, turn);
        } else if (!folder.exists()) {
          registryImages.release(id);
        }
      }
    } catch (PullFailed failure) {
      if (failure.reason() != Reason.CLOSED) {
        fail(folder, turn, String.valueOf(failure.getMessage()), failure);
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException | Error failure) {
      fail(folder, turn, "it did not start: " + failure.getMessage(), failure);
    }
  }

  private void makeAgain(EnvironmentFolder folder, Environment environment, Object turn)
      throws IOException {
    try (KeyedLocks.Held _ = locks.hold(environment.id())) {
      if (turn.equals(waiting.get(environment.id()))) {
        clear(folder);
        start(folder, environment, images.find(environment.image()));
        waiting.remove(environment.id(), turn);
      }
    }
  }

  /** What an earlier process had made of it when it was interrupted. */
  private void clear(EnvironmentFolder folder) throws IOException {
    driver.remove(folder);
    folder.clear();
  }

  /** It stays, with the reason, until somebody destroys it. */
  private void fail(EnvironmentFolder folder, Object turn, String why, Throwable failure) {
    try (KeyedLocks.Held _ = locks.hold(folder.id())) {
      if (turn.equals(waiting.get(folder.id())) && !registryImages.isClosed()) {
        LOG.warn("environment {} cannot be made: {}", folder.id(), why);
        LOG.debug("environment {}", folder.id(), failure);
        driver.remove(folder);
        folder.fail(why);
        waiting.remove(folder.id(), turn);
      }
    } catch (IOException unwritten) {
      LOG.error("that environment {} has failed cannot be noted", folder.id(), unwritten);
      waiting.remove(folder.id(), turn);
    }
  }

  /** After this, either nothing is left, or the caller knows that something may be. */
  private void undo(EnvironmentFolder folder, Exception cause) {
    try {
      removeAll(folder);
    } catch (IOException | RuntimeException failure) {
      cause.addSuppressed(failure);
      throw new OutcomeUnknown("environment " + folder.id() + " is half made", cause);
    }
    throw new Unavailable("environment " + folder.id() + " did not start", cause);
  }

  /** Takes it away; an image that is on its way comes all the same, for the next one. */
  void remove(String id) throws IOException {
    try (KeyedLocks.Held _ = locks.hold(id)) {
      EnvironmentFolder folder = folders.get(id);
      if (folder.exists()) {
        removeAll(folder);
      }
    }
  }

  /** The folder goes last: as long as anything is left, it says whose that is. */
  private void removeAll(EnvironmentFolder folder) throws IOException {
    String id = folder.id();
    waiting.remove(id);
    driver.remove(folder);
    folder.delete();
    holdings.release(id);
    disks.ifPresent(all -> all.release(id));
    registryImages.release(id);
  }

  /** Ends what is in hand; the next process goes on with it. */
  @Override
  public void close() {
    threads.shutdown();
    registryImages.close();
    try {
      if (!threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("environments are still being made");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
