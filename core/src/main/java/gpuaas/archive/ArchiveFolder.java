package gpuaas.archive;

import gpuaas.archive.Archive.Kept;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The folder that archives lie in, of the control plane's own; several servers share one. */
final class ArchiveFolder {

  private static final String WHOLE = ".tar.gz";
  private static final String PART = ".part";
  private static final int BUFFER_BYTES = 1 << 16;

  /** So often, in bytes, it is looked whether the disk has room. */
  private static final long LOOK_EVERY_BYTES = 16L << 20;

  private static final int FILES_MOST = 10_000;

  private final Path folder;

  ArchiveFolder(Path folder) {
    this.folder = folder;
  }

  /** It cannot be kept; the message is for its owner. */
  static final class TooMuch extends IOException {
    private static final long serialVersionUID = 1;

    TooMuch(String message) {
      super(message);
    }
  }

  /** What is being written; becomes an archive by {@link #keep}, or goes away. */
  final class Writing implements AutoCloseable {

    private final Path part;
    private final String name;

    private Writing(String name) {
      this.name = name;
      this.part = folder.resolve(name + PART);
    }

    /**
     * Takes all that comes.
     *
     * @throws TooMuch when it is more than may be kept
     */
    Kept take(InputStream from, ArchiveRules rules) throws IOException {
      MessageDigest digest = sha256();
      long bytes = 0;
      try (FileChannel file =
              FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
          OutputStream to = Channels.newOutputStream(file)) {
        byte[] buffer = new byte[BUFFER_BYTES];
        long nextLook = 0;
        for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
          if (bytes + read > rules.bytesMost()) {
            throw new TooMuch(
                "the files are more than " + (rules.bytesMost() >> 20) + " MiB, even compressed");
          }
          if (bytes >= nextLook) {
            requireRoom(rules);
            nextLook = bytes + LOOK_EVERY_BYTES;
          }
          to.write(buffer, 0, read);
          digest.update(buffer, 0, read);
          bytes += read;
        }
        file.force(true);
      }
      return new Kept(name + WHOLE, bytes, HexFormat.of().formatHex(digest.digest()));
    }

    /** Makes it an archive. */
    void keep() throws IOException {
      Files.move(part, folder.resolve(name + WHOLE), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
      Files.deleteIfExists(part);
    }
  }

  Writing write(String name) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return new Writing(name);
  }

  private void requireRoom(ArchiveRules rules) throws IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < rules.freeBytesLeast()) {
      throw new TooMuch("the control plane has no room for them");
    }
  }

  /** Copies it out, and says whether it was what was put in. */
  boolean copyTo(Kept kept, OutputStream to) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream from =
        new DigestInputStream(Files.newInputStream(folder.resolve(kept.fileName())), digest)) {
      from.transferTo(to);
    }
    return HexFormat.of().formatHex(digest.digest()).equals(kept.sha256());
  }

  void delete(Kept kept) throws IOException {
    Files.deleteIfExists(folder.resolve(kept.fileName()));
  }

  /** What lies there since before then. */
  List<String> olderThan(Instant then) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.limit(FILES_MOST).toList()) {
        Optional<Instant> at = writtenAt(file);
        if (at.isPresent() && at.get().isBefore(then)) {
          names.add(file.getFileName().toString());
        }
      }
    }
    return names;
  }

  private static Optional<Instant> writtenAt(Path file) throws IOException {
    return Files.exists(file)
        ? Optional.of(Files.getLastModifiedTime(file).toInstant())
        : Optional.empty();
  }

  void delete(String fileName) throws IOException {
    Files.deleteIfExists(folder.resolve(fileName));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
