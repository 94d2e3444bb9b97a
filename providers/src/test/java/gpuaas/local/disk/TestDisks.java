package gpuaas.local.disk;

import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.image.IdRange;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Disks without a provider around them. */
final class TestDisks {

  private TestDisks() {}

  static PoolPlace place(Path folder, Store store) {
    return new PoolPlace(
        folder.resolve("data"),
        Path.of("/run/gpuaas").resolve(folder.getFileName() + "-" + store).resolve("disks"),
        store,
        Optional.of(1),
        IdRange.SHIFTED,
        true,
        true,
        Optional::empty);
  }

  static LocalDisks open(Path folder, Store store, Consumer<DiskStep> steps) {
    PoolPlace place = place(folder, store);
    try {
      Files.createDirectories(place.dataFolder());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    return new LocalDisks("local", InstantSource.system(), place, steps);
  }

  /** Takes away what a test that failed has left, and the places of mounts. */
  static void leaveNothing(Path folder) throws IOException {
    for (Store store : Store.values()) {
      Path target = place(folder, store).target();
      SystemCalls.unmount(target);
      Files.deleteIfExists(target);
      Files.deleteIfExists(target.getParent());
    }
  }

  /** The mounts that a test's pools have. */
  static List<String> mounts(Path folder) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(" /run/gpuaas/" + folder.getFileName()))
        .toList();
  }
}
