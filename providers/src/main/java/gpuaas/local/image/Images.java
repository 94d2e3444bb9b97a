package gpuaas.local.image;

import gpuaas.local.EnvironmentFolder;
import gpuaas.local.linux.Command;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Finds images by name. An image is a folder {@code NAME} or a squashfs file {@code NAME.squashfs}
 * in the image folder, with the ownership that environments see; {@link ImageBuilder} makes both.
 */
public final class Images implements AutoCloseable {

  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
  private static final String SQUASHFS = ".squashfs";

  private final Path imageFolder;
  private final Path skeletonFolder;
  private final Path mountFolder;
  private final IdRange ids;
  private final List<Path> mounted = new ArrayList<>();

  /**
   * Opens the images.
   *
   * @param skeletonFolder where the skeletons for the host's programs are kept
   * @param mountFolder where squashfs files are mounted while they are in use
   */
  public Images(Path imageFolder, Path skeletonFolder, Path mountFolder, IdRange ids) {
    this.imageFolder = imageFolder;
    this.skeletonFolder = skeletonFolder;
    this.mountFolder = mountFolder;
    this.ids = ids;
  }

  /**
   * An image by name; empty or {@code host} is the host's own programs.
   *
   * @throws IllegalArgumentException when there is none of that name, saying which there are
   */
  public synchronized Image find(String name) throws IOException {
    if (name.isEmpty() || name.equals(Image.HOST)) {
      return new Image(Image.HOST, skeleton(), HostSkeleton.hostFolders());
    }
    Path folder = imageFolder.resolve(requireName(name));
    Path file = imageFolder.resolve(name + SQUASHFS);
    if (Files.isDirectory(folder)) {
      return new Image(name, requireOwnership(name, folder), List.of());
    }
    if (Files.isRegularFile(file)) {
      return new Image(name, requireOwnership(name, mount(name, file)), List.of());
    }
    throw new IllegalArgumentException(
        "there is no image \"" + name + "\"; there are " + String.join(", ", list()));
  }

  /** The names of all images, {@code host} first. */
  public List<String> list() throws IOException {
    if (!Files.isDirectory(imageFolder)) {
      return List.of(Image.HOST);
    }
    try (Stream<Path> entries = Files.list(imageFolder)) {
      Stream<String> names =
          entries
              .filter(entry -> Files.isDirectory(entry) || entry.toString().endsWith(SQUASHFS))
              .map(entry -> entry.getFileName().toString().replace(SQUASHFS, ""))
              .filter(name -> name.matches(NAME) && !name.equals(Image.HOST))
              .distinct()
              .sorted();
      return Stream.concat(Stream.of(Image.HOST), names).toList();
    }
  }

  /** A name that can be that of an image, or {@link IllegalArgumentException}. */
  static String requireName(String name) {
    if (!name.matches(NAME)) {
      throw new IllegalArgumentException(
          "\"" + name + "\" cannot be an image: letters, digits, dots and dashes, at most 64");
    }
    return name;
  }

  private Path requireOwnership(String name, Path root) throws IOException {
    if (ids.first() != 0 && !ids.owns(root)) {
      throw new IllegalArgumentException(
          "the files of image \""
              + name
              + "\" do not belong to ids from "
              + ids.first()
              + "; build it with: ./gpuaas images build "
              + name);
    }
    return root;
  }

  /** Made once for each state of the host's own files; the environments share it. */
  private Path skeleton() throws IOException {
    Path ready = skeletonFolder.resolve(HostSkeleton.version() + "-" + ids.first());
    if (Files.isDirectory(ready)) {
      return ready;
    }
    Files.createDirectories(skeletonFolder);
    Path draft = skeletonFolder.resolve("draft");
    EnvironmentFolder.deleteTree(draft);
    HostSkeleton.make(draft, ids);
    Files.move(draft, ready);
    return ready;
  }

  private Path mount(String name, Path file) throws IOException {
    Path target = mountFolder.resolve(name);
    if (mounted.contains(target)) {
      return target;
    }
    Files.createDirectories(target);
    // One of an earlier process may be there still, of an older build of the image.
    SystemCalls.unmount(target);
    Command.Result mount =
        Command.run(
            20,
            List.of(
                "mount",
                "-t",
                "squashfs",
                "-o",
                "loop,ro,nodev",
                file.toString(),
                target.toString()));
    if (!mount.ok()) {
      throw new IOException("image " + file + " could not be mounted: " + mount.output().strip());
    }
    mounted.add(target);
    return target;
  }

  /** Takes the mounts of images away; an environment's own view of its image stays. */
  @Override
  public synchronized void close() {
    for (Path target : mounted) {
      try {
        SystemCalls.unmount(target);
        Files.deleteIfExists(target);
      } catch (IOException busy) {
        // It is in nobody's way; the next process unmounts it before it mounts anew.
      }
    }
    mounted.clear();
    try {
      Files.deleteIfExists(mountFolder);
    } catch (IOException busy) {
      // A mount that could not be taken away is in it.
    }
  }
}
