package gpuaas.local.oci;

import gpuaas.local.Environment;
import gpuaas.local.image.IdRange;
import gpuaas.local.image.Image;
import gpuaas.local.image.SkeletonFiles;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/**
 * The root of an environment: its own files over those of its image.
 *
 * @param files the environment's own files; deleted with it
 * @param mountFolder holds the mount; on a path that everybody may walk
 */
record OverlayRoot(Path files, Path mountFolder) {

  private static final long NODEV = 4;

  /** True after a first start: the files are its user's since, and not written from outside. */
  boolean hasFiles() {
    return Files.isDirectory(files);
  }

  /** Writes what differs from environment to environment. */
  void makeFiles(
      Environment environment, Image image, String hosts, String resolver, String greeting)
      throws IOException {
    Path upper = files.resolve("upper");
    Files.createDirectory(files);
    makeFolder(upper);
    Files.createDirectory(files.resolve("work"));
    Path etc = upper.resolve("etc");
    makeFolder(etc);
    String name = environment.hostName();
    makeFile(etc.resolve("hostname"), name + "\n");
    makeFile(
        etc.resolve("hosts"),
        "127.0.0.1 localhost " + name + "\n::1 localhost " + name + "\n" + hosts);
    makeFile(etc.resolve("resolv.conf"), resolver);
    makeFile(etc.resolve("motd"), greeting);
    if (image.config().isPresent()) {
      makeWhatImagesLack(image, upper);
    }
    if (image.config().isPresent() || !environment.askedImage().isEmpty()) {
      makeFolder(upper.resolve("run"));
      makeFolder(upper.resolve("run/gpuaas"));
      makeFile(upper.resolve("run/gpuaas/image"), environment.imageWords());
    }
  }

  /** An image from a registry was not made for people to log in. */
  private static void makeWhatImagesLack(Image image, Path upper) throws IOException {
    makeFolder(upper.resolve("etc/profile.d"));
    for (Map.Entry<String, String> file : SkeletonFiles.forLogin(image.shell()).entrySet()) {
      boolean ours = file.getKey().equals(SkeletonFiles.GREETING);
      if (ours || !image.has("/" + file.getKey())) {
        makeFile(upper.resolve(file.getKey()), file.getValue());
      }
    }
  }

  /** Where it is mounted. */
  Path target() {
    return mountFolder.resolve("root");
  }

  /** Lays the files over the image's. */
  void mount(Image image) throws IOException {
    IdRange.SHIFTED.makePrivateFolder(mountFolder);
    Files.createDirectories(target());
    String options =
        "lowerdir="
            + escape(image.root())
            + ",upperdir="
            + escape(files.resolve("upper"))
            + ",workdir="
            + escape(files.resolve("work"));
    SystemCalls.mount("gpuaas", target(), "overlay", NODEV, options);
  }

  /** Takes the mount away. Nothing there is success. */
  void unmount() throws IOException {
    SystemCalls.unmount(target());
    Files.deleteIfExists(target());
    Files.deleteIfExists(mountFolder);
  }

  private static void makeFolder(Path folder) throws IOException {
    Files.createDirectory(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    IdRange.SHIFTED.give(folder, 0, 0);
  }

  private static void makeFile(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    IdRange.SHIFTED.give(file, 0, 0);
  }

  private static String escape(Path path) {
    return path.toString().replaceAll("([\\\\:,])", "\\\\$1");
  }
}
