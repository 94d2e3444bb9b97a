package gpuaas.local.disk;

import gpuaas.local.image.IdRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where the pool of disks is or will be.
 *
 * @param dataFolder of the provider; the pool is in it
 * @param target where the pool is seen; a path that everybody may walk, without blanks
 * @param store what it is asked to be
 * @param gib its size; empty: a tenth of the room that there is when it is made
 * @param ids who owns what is on disks
 * @param confined whether environments are kept from making subvolumes of their own
 * @param root whether this process may mount
 * @param whyNoBtrfs tries btrfs out; empty: it works
 */
public record PoolPlace(
    Path dataFolder,
    Path target,
    Store store,
    Optional<Integer> gib,
    IdRange ids,
    boolean confined,
    boolean root,
    Supplier<Optional<String>> whyNoBtrfs) {

  private static final long GIB = 1L << 30;
  private static final long SHARE = 10;
  private static final long LEAST_GIB = 4;
  private static final long MOST_GIB = 200;

  /** What keeps disks. */
  public enum Store {
    /** Btrfs where it was proved to work, else folders; what is there stays what it is. */
    AUTO,
    BTRFS,
    FOLDERS
  }

  /** The file of a pool of btrfs. */
  Path file() {
    return dataFolder.resolve("disks.btrfs");
  }

  /** The folder of a pool of folders. */
  Path folder() {
    return dataFolder.resolve("disks");
  }

  /** Whether there is a pool. */
  boolean isThere() {
    return Files.exists(file()) || Files.isDirectory(folder());
  }

  /** The size of a pool that is made now. */
  long bytes() throws IOException {
    if (gib.isPresent()) {
      return gib.get() * GIB;
    }
    long share = Files.getFileStore(dataFolder).getUsableSpace() / SHARE / GIB;
    return Math.clamp(share, LEAST_GIB, MOST_GIB) * GIB;
  }
}
