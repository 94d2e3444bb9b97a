package gpuaas.local.image.registry;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.local.EnvironmentFolder;
import gpuaas.local.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of images from registries. An image is in it whole or not at all: it is made in a
 * draft, and given its name at the end.
 */
final class ImageStore {

  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String NOTE = "image.json";

  private final Path folder;
  private final InstantSource clock;
  private final Map<String, StoredImage> images = new LinkedHashMap<>();
  private final Map<String, String> claims = new HashMap<>();
  private int pulls;
  private int drafts;

  private ImageStore(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /** Opens it; takes away what was not finished. No other process may have it open. */
  static ImageStore open(Path folder, InstantSource clock) throws IOException {
    ImageStore store = new ImageStore(folder, clock);
    EnvironmentFolder.deleteTree(store.drafts());
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    for (Path part : List.of(store.drafts(), store.blobs().resolve("sha256"), store.images())) {
      Files.createDirectories(part);
    }
    store.readAll();
    return store;
  }

  private void readAll() throws IOException {
    List<Path> found;
    try (Stream<Path> entries = Files.list(images())) {
      found = entries.toList();
    }
    for (Path entry : found) {
      try {
        StoredImage image = JSON.readValue(entry.resolve(NOTE).toFile(), StoredImage.class);
        images.put(image.digest(), image);
      } catch (JacksonException unreadable) {
        LOG.warn("image {} cannot be read and is thrown away", entry.getFileName());
        EnvironmentFolder.deleteTree(entry);
      }
    }
  }

  Path blobs() {
    return folder.resolve("blobs");
  }

  private Path drafts() {
    return folder.resolve("drafts");
  }

  private Path images() {
    return folder.resolve("images");
  }

  private Path place(String digest) {
    return images().resolve(digest.replace(':', '-'));
  }

  private Path blob(String digest) {
    return blobs().resolve(digest.replace(':', '/'));
  }

  /** What a blob holds; for small ones. */
  String readBlob(String digest) throws IOException {
    return Files.readString(blob(digest));
  }

  /** A new folder to work in. */
  synchronized Path newDraft() throws IOException {
    drafts++;
    return Files.createDirectory(
        drafts().resolve(Integer.toString(drafts)),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /** The image that a digest means, if it is here. */
  synchronized Optional<StoredImage> find(String digest) {
    return images.values().stream().filter(image -> image.is(digest)).findFirst();
  }

  /** What environments start from. */
  Image image(StoredImage stored, String name) {
    Path root = place(stored.digest()).resolve(UnpackJail.ROOT);
    return new Image(name, root, List.of(), Optional.of(stored.config()));
  }

  /** Keeps an image, here or on its way, as long as an environment has it. */
  synchronized void claim(String environment, String digest) {
    claims.put(environment, digest);
    touch(digest);
  }

  /** Ends that. */
  synchronized void release(String environment) {
    String digest = claims.remove(environment);
    if (digest != null) {
      touch(digest);
    }
  }

  private void touch(String digest) {
    Path note = place(digest).resolve(NOTE);
    try {
      if (Files.exists(note)) {
        Files.setLastModifiedTime(note, FileTime.from(clock.instant()));
      }
    } catch (IOException failure) {
      LOG.debug("when image {} was used is not noted", digest, failure);
    }
  }

  /** As long as there is one that has begun and not ended, nothing is taken away. */
  synchronized void beginPull() {
    pulls++;
  }

  synchronized void endPull() {
    pulls--;
  }

  /** Gives a finished draft its name. */
  synchronized void place(Path draft, StoredImage image) throws IOException {
    Files.write(draft.resolve(NOTE), JSON.writeValueAsBytes(image));
    Files.setAttribute(draft, "unix:uid", 0);
    Files.setAttribute(draft, "unix:gid", 0);
    Files.move(draft, place(image.digest()), StandardCopyOption.ATOMIC_MOVE);
    images.put(image.digest(), image);
  }

  /** Throws blobs away that may be bad, unless an image is made of them. */
  synchronized void forget(List<String> blobs) throws IOException {
    Set<String> needed = neededBlobs();
    for (String blob : blobs) {
      if (pulls <= 1 && !needed.contains(blob)) {
        Files.deleteIfExists(blob(blob));
      }
    }
  }

  /**
   * Takes images away that nobody uses, those first that were used least lately, until the rest is
   * not larger than this.
   */
  void collect(long bytesMost) throws IOException {
    for (Path rubbish : takeOut(bytesMost)) {
      EnvironmentFolder.deleteTree(rubbish);
    }
  }

  private synchronized List<Path> takeOut(long bytesMost) throws IOException {
    List<Path> rubbish = new ArrayList<>();
    if (pulls > 0 || size() <= bytesMost) {
      return rubbish;
    }
    dropBlobs();
    List<StoredImage> unused =
        images.values().stream()
            .filter(image -> claims.values().stream().noneMatch(image::is))
            .sorted(Comparator.comparing(this::lastUse))
            .toList();
    for (StoredImage image : unused) {
      if (size() > bytesMost) {
        LOG.info("image {} makes room, {} MiB", image.digest(), image.bytes() >> 20);
        drafts++;
        Path target = drafts().resolve("rubbish-" + drafts);
        Files.move(place(image.digest()), target, StandardCopyOption.ATOMIC_MOVE);
        images.remove(image.digest());
        rubbish.add(target);
        dropBlobs();
      }
    }
    return rubbish;
  }

  private FileTime lastUse(StoredImage image) {
    try {
      return Files.getLastModifiedTime(place(image.digest()).resolve(NOTE));
    } catch (IOException unreadable) {
      return FileTime.fromMillis(0);
    }
  }

  private Set<String> neededBlobs() {
    Set<String> needed = new HashSet<>();
    images.values().forEach(image -> needed.addAll(image.blobs()));
    return needed;
  }

  private void dropBlobs() throws IOException {
    Set<String> needed = neededBlobs();
    for (Path blob : blobFiles()) {
      if (!needed.contains("sha256:" + blob.getFileName())) {
        Files.deleteIfExists(blob);
      }
    }
  }

  private List<Path> blobFiles() throws IOException {
    try (Stream<Path> entries = Files.list(blobs().resolve("sha256"))) {
      return entries.toList();
    }
  }

  /** What all images take up, unpacked and as they came. */
  synchronized long size() throws IOException {
    long bytes = images.values().stream().mapToLong(StoredImage::bytes).sum();
    for (Path blob : blobFiles()) {
      bytes += blob.toFile().length();
    }
    return bytes;
  }
}
