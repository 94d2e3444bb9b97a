package gpuaas.local.disk;

import gpuaas.local.linux.Command;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds out whether this machine can have a pool of btrfs, by trying: a small one is made, mounted,
 * filled beyond a limit, copied from, and taken away.
 *
 * @param folder for the small pool; made and deleted here
 * @param target where it is mounted
 */
public record DiskProbe(Path folder, Path target) {

  private static final long POOL_BYTES = 160L << 20;
  private static final long LIMIT_BYTES = 16L << 20;
  private static final int MOST_WORDS = 400;

  /** Tries. Empty: it works; otherwise why not, in a sentence. */
  public Optional<String> whyNot() {
    if (Command.find("mkfs.btrfs").isEmpty() || Command.find("btrfs").isEmpty()) {
      return Optional.of("btrfs is not installed (Debian package btrfs-progs)");
    }
    PoolFile file = new PoolFile(folder.resolve("pool"), target);
    try {
      // One that was killed may have left all of it.
      cleanUp(file);
      Files.createDirectories(folder);
      file.make(POOL_BYTES);
      file.mount();
      tryOut(new BtrfsVolumes(target, true));
      return Optional.empty();
    } catch (IOException failure) {
      String words = String.valueOf(failure.getMessage());
      return Optional.of(words.substring(0, Math.min(words.length(), MOST_WORDS)));
    } finally {
      try {
        cleanUp(file);
      } catch (IOException left) {
        // The next probe cleans up first.
      }
    }
  }

  private static void tryOut(BtrfsVolumes volumes) throws IOException {
    volumes.count();
    Path one = volumes.root().resolve("one");
    volumes.make(one);
    volumes.limit(one, LIMIT_BYTES);
    if (mayWrite(one.resolve("file"), 2 * LIMIT_BYTES)) {
      throw new IOException("limits are not held to by this kernel's btrfs");
    }
    Path copy = volumes.root().resolve("copy");
    volumes.copy(one, copy, true);
    if (!Files.exists(copy.resolve("file"))) {
      throw new IOException("a snapshot has not what its disk has");
    }
    volumes.remove(copy);
    volumes.remove(one);
  }

  private static boolean mayWrite(Path file, long bytes) throws IOException {
    byte[] block = new byte[1 << 20];
    try (OutputStream output = Files.newOutputStream(file)) {
      for (long written = 0; written < bytes; written += block.length) {
        output.write(block);
      }
      return true;
    } catch (IOException full) {
      return false;
    }
  }

  private static void cleanUp(PoolFile file) throws IOException {
    file.unmount();
    Files.deleteIfExists(file.file().resolveSibling("pool.draft"));
    Files.deleteIfExists(file.file());
    Files.deleteIfExists(file.file().getParent());
  }
}
