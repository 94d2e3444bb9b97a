package gpuaas.local.disk;

import gpuaas.local.disk.DiskShelf.Kind;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The pool of disks, ready for use.
 *
 * @param totalBytes of all of it
 * @param message what an operator should always know; empty: nothing
 */
record Pool(PoolPlace place, Volumes volumes, DiskShelf shelf, long totalBytes, String message) {

  private static final long MS_BIND = 4096;
  private static final String LOOSE =
      "a disk of an environment by bubblewrap can outgrow its size: install runc";

  /** Opens it; makes it when there is none. */
  static Pool open(PoolPlace place, Consumer<DiskStep> steps) throws IOException {
    Optional<String> why = whyFolders(place);
    return why.isPresent() ? openFolders(place, why.get(), steps) : openBtrfs(place, steps);
  }

  /**
   * Empty: the pool is or will be of btrfs; otherwise why it is of folders, in a sentence.
   *
   * @throws IOException when it is one thing, and the settings ask for the other
   */
  static Optional<String> whyFolders(PoolPlace place) throws IOException {
    boolean isBtrfs = Files.exists(place.file());
    boolean isFolders = Files.isDirectory(place.folder());
    return switch (place.store()) {
      case AUTO -> {
        if (isBtrfs) {
          yield Optional.empty();
        }
        yield isFolders ? Optional.of("the disks are in folders") : place.whyNoBtrfs().get();
      }
      case BTRFS -> {
        if (isFolders) {
          throw new IOException(
              "disk-store=btrfs, but there are disks in "
                  + place.folder()
                  + "; take them away, or set disk-store=folders");
        }
        Optional<String> why = isBtrfs ? Optional.empty() : place.whyNoBtrfs().get();
        if (why.isPresent()) {
          throw new IOException("disk-store=btrfs, but " + why.get());
        }
        yield why;
      }
      case FOLDERS -> {
        if (isBtrfs) {
          throw new IOException(
              "disk-store=folders, but there are disks in "
                  + place.file()
                  + "; take it away, or set disk-store=btrfs");
        }
        yield Optional.of("disk-store=folders");
      }
    };
  }

  private static Pool openBtrfs(PoolPlace place, Consumer<DiskStep> steps) throws IOException {
    PoolFile file = new PoolFile(place.file(), place.target());
    boolean isNew = !Files.exists(place.file());
    if (isNew) {
      file.make(place.bytes());
    } else if (place.gib().isPresent()) {
      file.lengthen(place.bytes());
    }
    file.mount();
    file.fill();
    BtrfsVolumes volumes = new BtrfsVolumes(place.target(), place.confined());
    volumes.count();
    DiskShelf shelf = DiskShelf.open(place.target(), volumes, place.ids(), steps);
    volumes.forgetOldGroups();
    long total = Files.getFileStore(place.target()).getTotalSpace();
    return new Pool(place, volumes, shelf, total, place.confined() ? "" : LOOSE);
  }

  private static Pool openFolders(PoolPlace place, String why, Consumer<DiskStep> steps)
      throws IOException {
    Files.createDirectories(place.folder());
    Path shown = place.folder();
    if (place.root()) {
      // The data folder is for nobody else to walk; an environment must reach its disk.
      shown = place.target();
      Files.createDirectories(shown);
      SystemCalls.unmount(shown);
      SystemCalls.mount(place.folder().toString(), shown, "", MS_BIND, "");
    }
    PlainVolumes volumes = new PlainVolumes();
    DiskShelf shelf = DiskShelf.open(shown, volumes, place.ids(), steps);
    long total = Files.getFileStore(shown).getTotalSpace();
    return new Pool(place, volumes, shelf, total, "no disk is held to its size: " + why);
  }

  /** What can still be written: no more than the file system around the pool has, either. */
  long freeBytes() throws IOException {
    return Math.min(
        Files.getFileStore(shelf.root()).getUsableSpace(),
        Files.getFileStore(place.dataFolder()).getUsableSpace());
  }

  /** What an operator should know; empty: nothing. */
  String warning() throws IOException {
    long unwritten = Files.getFileStore(shelf.root()).getUsableSpace();
    long around = Files.getFileStore(place.dataFolder()).getUsableSpace();
    if (message.isEmpty() && around < unwritten) {
      return "the file system around the pool has "
          + around
          + " bytes left, and the pool could still take "
          + unwritten;
    }
    return message;
  }

  /** The sizes of all disks together. */
  long promisedBytes() throws IOException {
    long sum = 0;
    for (String id : shelf.ids(Kind.DISK)) {
      sum += DiskNote.find(shelf.place(Kind.DISK, id)).map(DiskNote::sizeBytes).orElse(0L);
    }
    return sum;
  }

  /** Takes away where it is seen. Only when nobody uses it. */
  void leave() throws IOException {
    if (place.root()) {
      SystemCalls.unmount(place.target());
      Files.deleteIfExists(place.target());
    }
  }
}
