package gpuaas.local.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.local.EnvironmentFolder;
import gpuaas.local.image.Image;
import gpuaas.local.image.ImageConfig;
import gpuaas.local.image.registry.Manifest.Resolved;
import gpuaas.local.image.registry.PullFailed.Reason;
import gpuaas.local.linux.Command;
import gpuaas.local.linux.MarkedProcesses;
import gpuaas.spi.ProviderException.Rejected;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Images of registries, for any number of environments. Each is fetched once, however many want it;
 * what a process that ended has begun is begun anew.
 */
public final class RegistryImages implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RegistryImages.class);
  private static final int PULLS_AT_ONCE = 4;
  private static final long CLOSE_SECONDS = 30;
  private static final long SYNC_SECONDS = 600;
  private static final long MANIFEST_MOST = 64L << 20;

  private final ImageStore store;
  private final Skopeo skopeo;
  private final UnpackJail jail;
  private final RegistrySettings settings;
  private final Consumer<PullStep> steps;
  private final Semaphore slots = new Semaphore(PULLS_AT_ONCE);
  private final Set<Process> running = ConcurrentHashMap.newKeySet();
  private final ConcurrentMap<String, CompletableFuture<StoredImage>> pulls =
      new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private RegistryImages(
      ImageStore store,
      Skopeo skopeo,
      UnpackJail jail,
      RegistrySettings settings,
      Consumer<PullStep> steps) {
    this.store = store;
    this.skopeo = skopeo;
    this.jail = jail;
    this.settings = settings;
    this.steps = steps;
  }

  /** What has to be installed for images of registries; empty: nothing. */
  public static Optional<String> missing() {
    for (String program : List.of("skopeo", "umoci")) {
      if (Command.find(program).isEmpty()) {
        return Optional.of(
            "images of registries need "
                + program
                + ", which is not installed (Debian package "
                + program
                + "; ./gpuaas host setup installs it)");
      }
    }
    return Optional.empty();
  }

  /**
   * Opens them, and ends what another process has left at work.
   *
   * @param folder for the images
   * @param runtimeFolder on a path that everybody may walk
   * @param steps told after each step of fetching an image
   */
  public static RegistryImages open(
      Path folder,
      Path runtimeFolder,
      RegistrySettings settings,
      InstantSource clock,
      Consumer<PullStep> steps)
      throws IOException {
    Path nowhere = Path.of("/nonexistent");
    Path configuration = folder.resolve("registries.conf");
    Skopeo skopeo = new Skopeo(Command.find("skopeo").orElse(nowhere), configuration, settings);
    UnpackJail jail =
        new UnpackJail(Command.find("umoci").orElse(nowhere), runtimeFolder.resolve("unpack"));
    MarkedProcesses.end("skopeo", configuration.toString());
    MarkedProcesses.end("umoci", jail.mark());
    ImageStore store = ImageStore.open(folder, clock);
    skopeo.configure();
    return new RegistryImages(store, skopeo, jail, settings, steps);
  }

  /** Notes that an environment of an earlier process has an image. */
  public void adopt(String environment, String digest) {
    store.claim(environment, digest);
  }

  /** Notes that an environment is gone. */
  public void release(String environment) {
    store.release(environment);
  }

  /**
   * Refuses a registry that no setting allows.
   *
   * @throws gpuaas.spi.ProviderException.Rejected with a sentence
   */
  public void requireAllowed(String image) {
    String registry = Reference.parse(image).registry();
    if (!settings.allows(registry)) {
      throw new Rejected("the registry " + registry + " may not be used here (image-registries)");
    }
  }

  /** Whether it is closed, or being closed. */
  public boolean isClosed() {
    return threads.isShutdown();
  }

  /** What has been got: the image, and the digest by which it is kept. */
  public record Obtained(Image image, String digest) {}

  /**
   * The image if it is here and its digest was named; asks nobody. The environment keeps it.
   *
   * @param image the {@link Reference#text} of one
   */
  public Optional<Obtained> find(String image, String environment) {
    Reference reference = Reference.parse(image);
    if (reference.digest().isEmpty() || !settings.allows(reference.registry())) {
      return Optional.empty();
    }
    store.claim(environment, reference.digest());
    Optional<StoredImage> found = store.find(reference.digest());
    if (found.isEmpty()) {
      store.release(environment);
    }
    return found.map(stored -> obtained(stored, reference, environment));
  }

  /**
   * The image that an environment has.
   *
   * @param image the {@link Reference#text} that was asked for
   * @throws IOException when it is not here, which nobody can have taken away
   */
  public Image kept(String image, String digest, String environment) throws IOException {
    StoredImage stored =
        store
            .find(digest)
            .orElseThrow(() -> new IOException("the image " + digest + " is not here any more"));
    return obtained(stored, Reference.parse(image), environment).image();
  }

  /**
   * The image, fetched if it is not here; takes minutes. The environment keeps it until it is
   * {@link #release released}.
   *
   * @param image the {@link Reference#text} of one
   * @throws PullFailed with a sentence for whoever asked
   */
  public Obtained obtain(String image, String environment)
      throws IOException, InterruptedException {
    Reference reference = Reference.parse(image);
    Deadline deadline = Deadline.in(settings.timeout());
    Resolved resolved = resolve(reference, deadline);
    steps.accept(PullStep.RESOLVED);
    store.claim(environment, resolved.digest());
    try {
      Optional<StoredImage> found = store.find(resolved.digest());
      StoredImage stored =
          found.isPresent() ? found.get() : await(pull(reference, resolved, deadline));
      return obtained(stored, reference, environment);
    } catch (IOException | InterruptedException failure) {
      store.release(environment);
      throw failure;
    }
  }

  private Obtained obtained(StoredImage stored, Reference reference, String environment) {
    store.claim(environment, stored.digest());
    return new Obtained(store.image(stored, reference.text()), stored.digest());
  }

  private Resolved resolve(Reference reference, Deadline deadline)
      throws IOException, InterruptedException {
    Path draft = store.newDraft();
    try {
      return skopeo.resolve(reference, watch(draft, deadline, MANIFEST_MOST));
    } finally {
      EnvironmentFolder.deleteTree(draft);
    }
  }

  private WatchedProcess watch(Path draft, Deadline deadline, long bytesMost) throws PullFailed {
    if (isClosed()) {
      throw closed();
    }
    return new WatchedProcess(running, draft, deadline, settings.stall(), bytesMost);
  }

  private static StoredImage await(CompletableFuture<StoredImage> pull)
      throws IOException, InterruptedException {
    try {
      return pull.get();
    } catch (ExecutionException failure) {
      switch (failure.getCause()) {
        case PullFailed why -> throw new PullFailed(why.reason(), String.valueOf(why.getMessage()));
        case InterruptedException _ -> throw closed();
        case null, default -> throw new IOException("the image cannot be fetched", failure);
      }
    }
  }

  private static PullFailed closed() {
    return new PullFailed(Reason.CLOSED, "the server is being stopped");
  }

  /** One for each digest, however many ask. */
  private CompletableFuture<StoredImage> pull(
      Reference reference, Resolved resolved, Deadline deadline) {
    return pulls.computeIfAbsent(
        resolved.digest(),
        digest -> {
          CompletableFuture<StoredImage> pull = new CompletableFuture<>();
          threads.execute(() -> {
            try {
              pull.complete(fetchInTurn(reference, resolved, deadline));
            } catch (Throwable failure) {
              pull.completeExceptionally(failure);
            } finally {
              pulls.remove(digest, pull);
            }
          });
          return pull;
        });
  }

  private StoredImage fetchInTurn(Reference reference, Resolved resolved, Deadline deadline)
      throws IOException, InterruptedException {
    if (!slots.tryAcquire(deadline.leftNanos(), TimeUnit.NANOSECONDS)) {
      throw new PullFailed(
          Reason.TIMEOUT, "too many images are being fetched; this one did not get its turn");
    }
    try {
      Optional<StoredImage> meanwhile = store.find(resolved.digest());
      return meanwhile.isPresent()
          ? meanwhile.get()
          : fetchMakingRoom(reference, resolved, deadline);
    } finally {
      slots.release();
    }
  }

  /** Without room, what nobody uses goes, and it is tried once more. */
  private StoredImage fetchMakingRoom(Reference reference, Resolved resolved, Deadline deadline)
      throws IOException, InterruptedException {
    try {
      return fetch(reference, resolved, deadline);
    } catch (PullFailed failure) {
      long before = store.size();
      if (failure.reason() == Reason.NO_SPACE) {
        store.collect(0);
      }
      if (store.size() < before) {
        return fetch(reference, resolved, deadline);
      }
      throw failure;
    }
  }

  private StoredImage fetch(Reference reference, Resolved resolved, Deadline deadline)
      throws IOException, InterruptedException {
    long began = System.nanoTime();
    store.beginPull();
    Path draft = store.newDraft();
    try {
      StoredImage image = fill(draft, reference, resolved, deadline);
      LOG.info(
          "image {} is here as {}: {} MiB, {} ms",
          reference.text(),
          image.digest(),
          image.bytes() >> 20,
          (System.nanoTime() - began) / 1_000_000);
      return image;
    } finally {
      store.endPull();
      EnvironmentFolder.deleteTree(draft);
      store.collect((long) settings.cacheGib() << 30);
    }
  }

  private StoredImage fill(Path draft, Reference reference, Resolved resolved, Deadline deadline)
      throws IOException, InterruptedException {
    long bytesMost = (long) settings.sizeGib() << 30;
    Path layout = draft.resolve(UnpackJail.LAYOUT);
    WatchedProcess watch = watch(draft, deadline, bytesMost);
    skopeo.copy(reference.at(resolved.digest()), layout, store.blobs(), watch);
    String index = Files.readString(layout.resolve("index.json"));
    String digest =
        Manifest.json(index, reference).path("manifests").path(0).path("digest").asText();
    if (!digest.matches(Manifest.DIGEST)) {
      throw Manifest.unusable(reference, "it came without a digest");
    }
    JsonNode manifest = Manifest.json(store.readBlob(digest), reference);
    List<String> blobs = Manifest.requireLayers(manifest, reference, bytesMost);
    ImageConfig config = Manifest.config(store.readBlob(blobs.getLast()), reference);
    steps.accept(PullStep.COPIED);
    try {
      jail.unpack(reference, draft, store.blobs(), watch);
    } catch (PullFailed failure) {
      if (failure.reason() == Reason.UNUSABLE) {
        store.forget(blobs);
      }
      throw failure;
    }
    steps.accept(PullStep.UNPACKED);
    Path root = draft.resolve(UnpackJail.ROOT);
    RootFinish.finish(reference, root);
    EnvironmentFolder.deleteTree(layout);
    FolderSize size = FolderSize.of(root);
    // Not a name without its files, should the machine lose its power now.
    Command.runSilently(SYNC_SECONDS, List.of("sync", "-f", draft.toString()));
    StoredImage image =
        new StoredImage(resolved.digest(), resolved.asked(), blobs, size.bytes(), config);
    store.place(draft, image);
    steps.accept(PullStep.PLACED);
    return image;
  }

  /** Ends what is being fetched; the next process begins it anew. */
  @Override
  public void close() {
    threads.shutdownNow();
    running.forEach(Process::destroyForcibly);
    try {
      if (!threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("images are still being fetched");
      }
      Files.deleteIfExists(jail.place());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (IOException inUse) {
      LOG.debug("{} stays", jail.place(), inUse);
    }
  }
}
