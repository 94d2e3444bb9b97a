package gpuaas.local;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.local.linux.Command;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one environment: what it was asked to be ({@code state.json}), its files, and the
 * driver's notes.
 *
 * @param path its last name is the environment's id
 */
public record EnvironmentFolder(Path path) {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String STATE = "state.json";
  private static final String FAILURE = "failure.txt";
  private static final String MAKING = "making";
  private static final String RESTARTS = "restarts";
  private static final long DELETE_SECONDS = 600;

  /** The environment's id. */
  public String id() {
    return path.getFileName().toString();
  }

  /** A file or folder in it. */
  public Path resolve(String name) {
    return path.resolve(name);
  }

  /**
   * Makes the folder.
   *
   * @throws java.nio.file.FileAlreadyExistsException when there is one
   */
  void make() throws IOException {
    Files.createDirectory(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  boolean exists() {
    return Files.isDirectory(path);
  }

  /** Writes the state at once or not at all. */
  void write(Environment environment) throws IOException {
    Path draft = path.resolve(STATE + ".draft");
    Files.write(draft, JSON.writeValueAsBytes(environment));
    Files.move(draft, path.resolve(STATE), StandardCopyOption.ATOMIC_MOVE);
  }

  /** What is written; empty when creation ended before it was. */
  public Optional<Environment> read() throws IOException {
    Path state = path.resolve(STATE);
    if (!Files.exists(state)) {
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.readValue(state.toFile(), Environment.class));
    } catch (JacksonException unreadable) {
      return Optional.empty();
    }
  }

  /** Notes that it is being made; nobody uses it before that is taken back. */
  void making() throws IOException {
    Files.writeString(path.resolve(MAKING), "");
  }

  /** It is made. */
  void made() throws IOException {
    Files.deleteIfExists(path.resolve(MAKING));
  }

  /** Whether it is being made, or whoever made it was interrupted. */
  boolean isBeingMade() {
    return Files.exists(path.resolve(MAKING));
  }

  /** How often it was restarted, in full. */
  int restarts() throws IOException {
    Path note = path.resolve(RESTARTS);
    return Files.exists(note) ? Integer.parseInt(Files.readString(note).strip()) : 0;
  }

  /** Notes that it was restarted so often. */
  void restarted(int number) throws IOException {
    Path draft = path.resolve(RESTARTS + ".draft");
    Files.writeString(draft, Integer.toString(number));
    Files.move(draft, path.resolve(RESTARTS), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Takes away what was made of it, but not what it is to be. */
  void clear() throws IOException {
    try (Stream<Path> all = Files.list(path)) {
      for (Path one : all.toList()) {
        String name = one.getFileName().toString();
        if (!name.equals(STATE) && !name.equals(MAKING)) {
          deleteTree(one);
        }
      }
    }
  }

  /** Notes, for good, that it will never come up. */
  void fail(String why) throws IOException {
    Path draft = path.resolve(FAILURE + ".draft");
    Files.writeString(draft, why);
    Files.move(draft, path.resolve(FAILURE), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Why it will never come up; empty: nobody said so. */
  Optional<String> failure() {
    try {
      return Optional.of(Files.readString(path.resolve(FAILURE)));
    } catch (IOException none) {
      return Optional.empty();
    }
  }

  /** When it was made; empty when it has just been deleted. */
  Optional<Instant> createdAt() {
    try {
      Optional<Environment> environment = read();
      return environment.isPresent()
          ? Optional.of(Instant.parse(environment.get().createdAt()))
          : Optional.of(Files.getLastModifiedTime(path).toInstant());
    } catch (IOException gone) {
      return Optional.empty();
    }
  }

  /** Deletes it with all that is in it. Never follows a link. */
  void delete() throws IOException {
    if (exists()) {
      deleteTree(path);
    }
  }

  /** Deletes a folder with all that is in it. Never follows a link. */
  public static void deleteTree(Path root) throws IOException {
    try {
      Files.walkFileTree(root, new Deleting());
    } catch (NoSuchFileException gone) {
      return;
    } catch (IOException | StackOverflowError tooDeep) {
      // A tenant can nest folders beyond what a path may be long; rm goes step by step.
      deleteByProgram(root);
    }
  }

  private static void deleteByProgram(Path root) throws IOException {
    List<String> removal = List.of("rm", "-rf", "--one-file-system", "--", root.toString());
    if (Command.runSilently(DELETE_SECONDS, removal) != 0) {
      throw new IOException("not everything in " + root + " could be deleted");
    }
  }

  private static final class Deleting extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.delete(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
        throws IOException {
      if (!Files.isReadable(folder) || !Files.isWritable(folder)) {
        // Overlay's work folder has no permissions at all, which binds all but root.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
        throws IOException {
      if (failure != null) {
        throw failure;
      }
      Files.delete(folder);
      return FileVisitResult.CONTINUE;
    }
  }
}
