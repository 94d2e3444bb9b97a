package gpuaas.db;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * A PostgreSQL of our own, for a deployment that brings none: durable, with a password, on
 * loopback, never as root. Its data survives our restart and our death; a server left behind by a
 * killed process is found again and used.
 */
public final class EmbeddedPostgres implements AutoCloseable {

  private static final String BINARIES = "/postgres-linux-x86_64.txz";
  private static final String VERSION = "18.6.0";
  private static final String SUPERUSER = "gpuaas";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path program;
  private final Path folder;
  private final boolean durable;
  private final String systemUser;
  private boolean launchedHere;

  private EmbeddedPostgres(Path program, Path folder, boolean durable, String systemUser) {
    this.program = program;
    this.folder = folder;
    this.durable = durable;
    this.systemUser = systemUser;
  }

  /**
   * Starts it, or finds it running.
   *
   * @param programs where the binaries are unpacked, once
   * @param folder everything else: data, password, port, log
   * @param durable false only for tests, which lose nothing by losing all
   * @param systemUser whom it runs as when we are root; ignored otherwise
   */
  public static EmbeddedPostgres start(
      Path programs, Path folder, boolean durable, String systemUser) {
    try {
      Path program = unpacked(programs);
      EmbeddedPostgres postgres = new EmbeddedPostgres(program, folder, durable, systemUser);
      if (!Files.exists(folder.resolve("data/PG_VERSION"))) {
        postgres.initialize();
      }
      if (!postgres.answers()) {
        postgres.launch();
        postgres.launchedHere = true;
      }
      return postgres;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the embedded PostgreSQL in " + folder + " does not start: " + e.getMessage(), e);
    }
  }

  /** How to reach a database in it; made when it is not there. */
  public DatabaseSettings settings(String name, int connections, Duration patience) {
    createDatabase(name, "template1");
    return new DatabaseSettings(url(name), SUPERUSER, read("password"), connections, patience);
  }

  /** Makes a database as a copy of another, unless it is there. */
  public void createDatabase(String name, String template) {
    if (!name.matches("[a-z0-9_]{1,60}") || !template.matches("[a-z0-9_]{1,60}")) {
      throw new IllegalArgumentException("not a name for a database: " + name);
    }
    try (var connection =
            DriverManager.getConnection(url("postgres"), SUPERUSER, read("password"));
        var statement = connection.createStatement()) {
      boolean there =
          statement.executeQuery("select 1 from pg_database where datname = '" + name + "'").next();
      if (!there) {
        statement.execute("create database " + name + " template " + template);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(
          "cannot make the database " + name + ": " + e.getMessage(), e);
    }
  }

  /** True when it did not run before: then whoever started it should stop it. */
  public boolean launchedHere() {
    return launchedHere;
  }

  /** Stops it cleanly; its data stays. */
  @Override
  public void close() {
    try {
      run("pg_ctl", "-D", folder.resolve("data").toString(), "-m", "fast", "-w", "stop");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String url(String name) {
    return "jdbc:postgresql://127.0.0.1:" + read("port") + "/" + name;
  }

  private void initialize() throws IOException {
    deleteAll(folder.resolve("data")); // of an initialization that was interrupted
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    byte[] password = new byte[24];
    new SecureRandom().nextBytes(password);
    write("password", HexFormat.of().formatHex(password));
    write("port", Integer.toString(freePort()));
    ownAll(folder);
    List<String> command =
        new ArrayList<>(List.of("initdb", "-D", folder.resolve("data").toString()));
    command.addAll(
        List.of("-U", SUPERUSER, "--pwfile=" + folder.resolve("password"), "--auth=scram-sha-256"));
    command.addAll(List.of("-E", "UTF8", "--locale=C.UTF-8"));
    if (!durable) {
      command.add("--no-sync");
    }
    run(command.toArray(String[]::new));
  }

  private void launch() throws IOException {
    if (!portIsFree(Integer.parseInt(read("port")))) {
      write("port", Integer.toString(freePort()));
    }
    String options =
        "-c listen_addresses=127.0.0.1 -c port="
            + read("port")
            + " -c unix_socket_directories=''"
            + " -c shared_buffers=128MB -c max_connections=100 -c log_min_messages=warning"
            + " -c wal_compression=on -c max_wal_size=1GB"
            + (durable ? "" : " -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
    String data = folder.resolve("data").toString();
    run(
        "pg_ctl",
        "-D",
        data,
        "-l",
        folder.resolve("log").toString(),
        "-o",
        options,
        "-w",
        "-t",
        "" + PATIENCE.toSeconds(),
        "start");
    if (!answers()) {
      throw new IOException(
          "it was started and does not answer; its log is " + folder.resolve("log"));
    }
  }

  /**
   * True when the one that we know listens on our port; anybody else would not know the password.
   */
  private boolean answers() {
    if (!Files.exists(folder.resolve("data/postmaster.pid"))) {
      return false;
    }
    try (var connection =
        DriverManager.getConnection(
            url("postgres") + "?connectTimeout=5", SUPERUSER, read("password"))) {
      return connection.isValid(5);
    } catch (SQLException e) {
      return false;
    }
  }

  private void run(String... command) throws IOException {
    List<String> full = new ArrayList<>();
    if (isRoot()) {
      full.addAll(
          List.of(
              "setpriv",
              "--reuid=" + systemUser,
              "--regid=" + groupOf(systemUser),
              "--clear-groups"));
    }
    full.add(program.resolve("bin/" + command[0]).toString());
    full.addAll(List.of(command).subList(1, command.length));
    // The server inherits the output and keeps it open: to a file, so that nobody waits for its
    // end.
    Path output = Files.createTempFile("gpuaas-postgres", ".out");
    try {
      ProcessBuilder builder = new ProcessBuilder(full).directory(folder.toFile());
      builder
          .redirectErrorStream(true)
          .redirectOutput(output.toFile())
          .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
      builder.environment().put("LC_ALL", "C.UTF-8");
      int exit = builder.start().waitFor();
      if (exit != 0) {
        throw new IOException(
            command[0] + " ended with " + exit + ": " + Files.readString(output).strip());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Files.deleteIfExists(output);
    }
  }

  /** Makes all of it the system user's, when we are root. */
  private void ownAll(Path path) throws IOException {
    if (!isRoot()) {
      return;
    }
    var owner =
        path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(systemUser);
    try (var files = Files.walk(path)) {
      for (Path file : files.toList()) {
        Files.setOwner(file, owner);
      }
    }
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static String groupOf(String user) throws IOException {
    for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
      String[] fields = line.split(":", -1);
      if (fields[0].equals(user)) {
        return fields[3];
      }
    }
    throw new IOException(
        "there is no system user " + user + " to run PostgreSQL as; ./gpuaas host setup makes one");
  }

  private String read(String file) {
    try {
      return Files.readString(folder.resolve(file)).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.writeString(path, text, UTF_8);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    ownAll(path);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean portIsFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Unpacks the binaries next to their place and moves them there, so that half of them never
   * count.
   */
  private static Path unpacked(Path programs) throws IOException {
    Path target = programs.resolve("postgres-" + VERSION);
    if (Files.isDirectory(target)) {
      return target;
    }
    Files.createDirectories(programs);
    Path temporary = Files.createTempDirectory(programs, "unpacking");
    try (InputStream packed =
            Objects.requireNonNull(EmbeddedPostgres.class.getResourceAsStream(BINARIES), BINARIES);
        TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(packed))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        unpack(tar, entry, temporary);
      }
    }
    Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
    try {
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      deleteAll(temporary);
      if (!Files.isDirectory(target)) {
        throw e;
      }
    }
    return target;
  }

  private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path into)
      throws IOException {
    Path path = into.resolve(entry.getName()).normalize();
    if (!path.startsWith(into)) {
      throw new IOException("the archive leaves its folder: " + entry.getName());
    }
    if (entry.isDirectory()) {
      Files.createDirectories(path);
      return;
    }
    Files.createDirectories(Objects.requireNonNull(path.getParent()));
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
      return;
    }
    Files.copy(tar, path);
    boolean executable = (entry.getMode() & 0111) != 0;
    Files.setPosixFilePermissions(
        path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
  }

  private static void deleteAll(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path folder, java.io.@org.jspecify.annotations.Nullable IOException e)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
