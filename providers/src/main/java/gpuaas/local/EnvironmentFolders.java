package gpuaas.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All environments of a provider, as folders; held by one process at a time. */
final class EnvironmentFolders implements AutoCloseable {

  private final Path root;
  private final FileChannel lockFile;

  private EnvironmentFolders(Path root, FileChannel lockFile) {
    this.root = root;
    this.lockFile = lockFile;
  }

  /**
   * Opens them.
   *
   * @throws IllegalArgumentException when another process has them open
   */
  static EnvironmentFolders open(Path dataFolder) throws IOException {
    Path root = dataFolder.resolve("environments");
    Files.createDirectories(root);
    FileChannel file =
        FileChannel.open(
            dataFolder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (tryLock(file) == null) {
      file.close();
      throw new IllegalArgumentException(
          "the data folder " + dataFolder + " is in use by another server; stop that one first");
    }
    return new EnvironmentFolders(root, file);
  }

  private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException inThisProcess) {
      return null;
    }
  }

  /** The folder for an id of ours; it need not exist. */
  EnvironmentFolder get(String id) {
    if (Environment.tagOf(id).isEmpty()) {
      throw new IllegalArgumentException("not the id of an environment: " + id);
    }
    return new EnvironmentFolder(root.resolve(id));
  }

  /** Every folder that is there. */
  List<EnvironmentFolder> list() {
    try (Stream<Path> entries = Files.list(root)) {
      return entries
          .filter(entry -> Environment.tagOf(entry.getFileName().toString()).isPresent())
          .map(EnvironmentFolder::new)
          .toList();
    } catch (IOException failure) {
      throw new UncheckedIOException("the folder " + root + " cannot be read", failure);
    }
  }

  @Override
  public void close() {
    try {
      lockFile.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
