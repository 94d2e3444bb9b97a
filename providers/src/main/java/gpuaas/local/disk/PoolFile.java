package gpuaas.local.disk;

import gpuaas.local.linux.Command;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * A file with holes that holds a btrfs file system.
 *
 * @param file takes up on its own file system what is in it, and no more
 * @param target where it is mounted, on a path that everybody may walk
 */
record PoolFile(Path file, Path target) {

  private static final long SECONDS = 120;

  /** Makes the file, whole or not at all; does nothing when it is there. */
  void make(long bytes) throws IOException {
    if (Files.exists(file)) {
      return;
    }
    Path draft = file.resolveSibling(file.getFileName() + ".draft");
    Files.deleteIfExists(draft);
    setLength(draft, bytes);
    Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-------"));
    run(program("mkfs.btrfs"), "-q", draft.toString());
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Makes it longer; never shorter. */
  void lengthen(long bytes) throws IOException {
    if (bytes > Files.size(file)) {
      setLength(file, bytes);
    }
  }

  /** Mounts it, unless it is mounted; what else is mounted there is taken away. */
  void mount() throws IOException {
    Files.createDirectories(target);
    Optional<Path> device = Mounts.deviceAt(target);
    if (device.isPresent()) {
      if (Mounts.fileBehind(device.get()).filter(this::isOurs).isPresent()) {
        return;
      }
      SystemCalls.unmount(target);
    }
    run("mount", "-o", "loop,nodev,nosuid,noatime", file.toString(), target.toString());
  }

  private boolean isOurs(Path other) {
    try {
      return Files.isSameFile(other, file);
    } catch (IOException gone) {
      return false;
    }
  }

  /** Gives the file system all of the file. */
  void fill() throws IOException {
    if (Files.getFileStore(target).getTotalSpace() < Files.size(file)) {
      Optional<Path> device = Mounts.deviceAt(target);
      if (device.isPresent()) {
        run(program("losetup"), "-c", device.get().toString());
        run(program("btrfs"), "filesystem", "resize", "max", target.toString());
      }
    }
  }

  /** Takes the mount away. Nothing there is success. */
  void unmount() throws IOException {
    SystemCalls.unmount(target);
    Files.deleteIfExists(target);
  }

  private static void setLength(Path path, long bytes) throws IOException {
    try (RandomAccessFile random = new RandomAccessFile(path.toFile(), "rw")) {
      random.setLength(bytes);
    }
  }

  private static String program(String name) throws IOException {
    return Command.find(name)
        .map(Path::toString)
        .orElseThrow(() -> new IOException(name + " is not installed"));
  }

  private static void run(String... command) throws IOException {
    Command.Result result = Command.run(SECONDS, List.of(command));
    if (!result.ok()) {
      throw new IOException(
          String.join(" ", command).replaceAll("^/[^ ]*/", "")
              + " failed: "
              + result.output().strip());
    }
  }
}
