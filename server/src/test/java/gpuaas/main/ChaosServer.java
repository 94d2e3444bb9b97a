package gpuaas.main;

import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The whole server in a process of its own, over a PostgreSQL and with a time that its parent has
 * too. It is killed with SIGKILL, and started again over the same data.
 */
public final class ChaosServer implements AutoCloseable {

  private static final Duration UP_WITHIN = Duration.ofSeconds(120);
  private static final String TIME = "time";

  private final Path data;
  private final Map<String, String> environment = new HashMap<>();
  private final int port = freePort();
  private final AtomicInteger kills = new AtomicInteger();
  private volatile Process process;

  private ChaosServer(Path data, DatabaseSettings database, Map<String, String> more) {
    this.data = data;
    environment.put("GPUAAS_DATA", data.toString());
    environment.put("GPUAAS_DATABASE_URL", database.url());
    environment.put("GPUAAS_DATABASE_USER", database.user());
    environment.put("GPUAAS_DATABASE_PASSWORD", database.password());
    for (String listener : List.of("API", "IDP", "SSH", "GPUAI")) {
      environment.put("GPUAAS_" + listener + "_PORT", "0");
    }
    environment.put("GPUAAS_SHOPPER_PORT", Integer.toString(port));
    environment.put("GPUAAS_SHOPPER_SESSION_KEY_TYPE", "ed25519");
    environment.putAll(more);
    this.process = start();
  }

  /**
   * Starts one, and waits until it serves. The time is that of {@link SharedTime} in its folder.
   */
  public static ChaosServer start(Path data, DatabaseSettings database, Map<String, String> more) {
    ChaosServer server = new ChaosServer(data, database, more);
    server.awaitReady();
    return server;
  }

  /** Where the time of a server with this folder is. */
  public static Path time(Path data) {
    return data.resolve(TIME);
  }

  /** Of its Shopper API. */
  public String url() {
    return "http://localhost:" + port;
  }

  /** How often it was killed. */
  public int kills() {
    return kills.get();
  }

  /** Ends it as a power cut would, and starts it again. */
  public void killAndRestart() {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    kills.incrementAndGet();
    process = start();
    awaitReady();
  }

  private Process start() {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "-Xmx512m", "-XX:TieredStopAtLevel=1"));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), ChaosServer.class.getName()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output().toFile()));
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path output() {
    return data.resolve("output");
  }

  private void awaitReady() {
    Eventually.within(
        UP_WITHIN,
        "the server is ready; its output is in " + output(),
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("it ended with " + process.exitValue() + "; see " + output());
          }
          try {
            return TestServer.send("GET", url() + "/ready", Map.of(), "").status() == 200;
          } catch (AssertionError notYet) {
            return false;
          }
        });
  }

  /** Stops it as the system does; what it has rented goes on. */
  @Override
  public void close() {
    process.destroyForcibly();
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The process. */
  public static void main(String[] arguments) throws Exception {
    Settings settings = Settings.load(System.getenv());
    Files.createDirectories(settings.data());
    SharedTime time = SharedTime.open(time(settings.data()));
    Database database = Database.open(Main.databaseSettings(settings, java.util.Optional.empty()));
    Wiring.Running running = Wiring.open(settings, database, Main::openProviders, time);
    running.gateway().start();
    running.loops().start();
    running.workLoop().start();
    new CountDownLatch(1).await();
  }
}
