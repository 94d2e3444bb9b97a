package gpuaas.local.disk;

import gpuaas.local.image.IdRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where disks and snapshots stand: a folder each, with a note and a volume. They are made apart and
 * moved into their place when they are whole, and moved out of it before they are taken apart; so
 * whatever is in its place is whole, and whatever is apart is rubbish.
 */
final class DiskShelf {

  /** What can stand here. */
  enum Kind {
    DISK,
    SNAPSHOT;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Makes a volume. */
  @FunctionalInterface
  interface VolumeMaker {
    void make(Path volume) throws IOException;
  }

  private static final Logger LOG = LoggerFactory.getLogger(DiskShelf.class);

  private final Path root;
  private final Volumes volumes;
  private final IdRange ids;
  private final Consumer<DiskStep> steps;

  private DiskShelf(Path root, Volumes volumes, IdRange ids, Consumer<DiskStep> steps) {
    this.root = root;
    this.volumes = volumes;
    this.ids = ids;
    this.steps = steps;
  }

  /** Opens it, and throws away what earlier processes left half made. */
  static DiskShelf open(Path root, Volumes volumes, IdRange ids, Consumer<DiskStep> steps)
      throws IOException {
    DiskShelf shelf = new DiskShelf(root, volumes, ids, steps);
    for (Path part : List.of(root, shelf.places(Kind.DISK), shelf.places(Kind.SNAPSHOT))) {
      Files.createDirectories(part);
      // Everybody may walk here to what is theirs, and nobody may look around.
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwx--x--x"));
    }
    for (Path part : List.of(shelf.drafts(), shelf.rubbish())) {
      Files.createDirectories(part);
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwx------"));
      for (Path left : list(part)) {
        shelf.takeApartIfPossible(left);
      }
    }
    return shelf;
  }

  /** Where all of it is. */
  Path root() {
    return root;
  }

  /** The folder of a disk or snapshot; it need not be there. */
  Path place(Kind kind, String id) {
    return places(kind).resolve(id);
  }

  /** The volume of a disk or snapshot. */
  Path volume(Kind kind, String id) {
    return place(kind, id).resolve(Volumes.NAME);
  }

  boolean has(Kind kind, String id) {
    return Files.isDirectory(place(kind, id));
  }

  /** The ids of all that stand here, in order. */
  List<String> ids(Kind kind) throws IOException {
    return list(places(kind)).stream().map(place -> place.getFileName().toString()).toList();
  }

  /** Makes what is not there, whole or not at all. */
  void make(Kind kind, String id, DiskNote note, VolumeMaker maker) throws IOException {
    Path draft = drafts().resolve(kind.word() + "." + id);
    takeApart(draft);
    try {
      Files.createDirectory(draft);
      Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rwx--x--x"));
      steps.accept(DiskStep.DRAFT);
      Path volume = draft.resolve(Volumes.NAME);
      maker.make(volume);
      steps.accept(DiskStep.VOLUME);
      if (kind == Kind.DISK) {
        volumes.limit(volume, note.sizeBytes());
      }
      steps.accept(DiskStep.LIMIT);
      note.write(draft);
      steps.accept(DiskStep.NOTE);
      Files.move(draft, place(kind, id), StandardCopyOption.ATOMIC_MOVE);
      DiskNote.sync(places(kind));
      steps.accept(DiskStep.PLACED);
    } catch (IOException | RuntimeException failure) {
      try {
        takeApart(draft);
      } catch (IOException left) {
        failure.addSuppressed(left);
      }
      throw failure;
    }
  }

  /** Makes an empty volume that root inside owns. */
  void makeEmpty(Path volume) throws IOException {
    volumes.make(volume);
    Files.setPosixFilePermissions(volume, PosixFilePermissions.fromString("rwx------"));
    if (ids.first() != 0) {
      ids.give(volume, 0, 0);
    }
  }

  /** Takes away what is there; nothing there is success. */
  void remove(Kind kind, String id) throws IOException {
    Path out = rubbish().resolve(kind.word() + "." + id);
    takeApart(out);
    if (has(kind, id)) {
      Files.move(place(kind, id), out, StandardCopyOption.ATOMIC_MOVE);
      DiskNote.sync(places(kind));
      steps.accept(DiskStep.TAKEN_OUT);
      takeApart(out);
    }
  }

  /** What cannot be taken apart now is in nobody's way, and is tried again when it is. */
  private void takeApartIfPossible(Path folder) {
    try {
      takeApart(folder);
    } catch (IOException stubborn) {
      LOG.warn("{} stays for now", folder, stubborn);
    }
  }

  private void takeApart(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    volumes.remove(folder.resolve(Volumes.NAME));
    steps.accept(DiskStep.VOLUME_GONE);
    for (Path rest : list(folder)) {
      Files.delete(rest);
    }
    Files.delete(folder);
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }

  private Path places(Kind kind) {
    return root.resolve(kind.word() + "s");
  }

  private Path drafts() {
    return root.resolve("drafts");
  }

  private Path rubbish() {
    return root.resolve("rubbish");
  }
}
