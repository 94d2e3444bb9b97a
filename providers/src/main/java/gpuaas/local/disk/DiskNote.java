package gpuaas.local.disk;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * What a disk or snapshot is; kept beside its volume.
 *
 * @param askedBytes the size that it was made with
 * @param sizeBytes the size that it has
 * @param origin of a disk, the snapshot that it began from, or empty; of a snapshot, its disk
 * @param fresh whether nothing was ever attached to it, so that it has no home folder yet
 * @param madeAt ISO 8601
 */
record DiskNote(long askedBytes, long sizeBytes, String origin, boolean fresh, String madeAt) {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String NAME = "note.json";

  static DiskNote read(Path folder) throws IOException {
    return JSON.readValue(Files.readAllBytes(folder.resolve(NAME)), DiskNote.class);
  }

  /** What stands in a folder; empty: it has just gone. */
  static Optional<DiskNote> find(Path folder) throws IOException {
    try {
      return Optional.of(read(folder));
    } catch (NoSuchFileException gone) {
      return Optional.empty();
    }
  }

  /** Writes it at once or not at all, and so that it outlives a loss of power. */
  void write(Path folder) throws IOException {
    Path draft = folder.resolve(NAME + ".draft");
    Files.write(draft, JSON.writeValueAsBytes(this));
    sync(draft);
    Files.move(draft, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
    sync(folder);
  }

  DiskNote withSize(long bytes) {
    return new DiskNote(askedBytes, bytes, origin, fresh, madeAt);
  }

  DiskNote used() {
    return new DiskNote(askedBytes, sizeBytes, origin, false, madeAt);
  }

  /** Waits until a file or folder is on the device. */
  static void sync(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      file.force(true);
    }
  }
}
