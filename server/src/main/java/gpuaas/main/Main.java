package gpuaas.main;

import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.provider.ProviderGate;
import gpuaas.provider.Providers;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;

/** The server's commands: {@code up}, and what the host needs. */
public final class Main {

  /**
   * PostgreSQL keeps microseconds: what is written and what is read back must be the same instant.
   */
  static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    String command = arguments.length == 0 ? "help" : arguments[0];
    try {
      switch (command) {
        case "host", "images" -> HostCommands.run(arguments, Settings.load(System.getenv()));
        case "admin-password", "keys", "credits", "budgets", "quotas" ->
            DatabaseCommands.run(arguments, Settings.load(System.getenv()), CLOCK);
        case "sim" -> SimMarkets.run(arguments, CLOCK, System.out);
        case "up" -> up(arguments);
        default -> System.err.println("unknown command: " + command);
      }
    } catch (DatabaseCommands.Mistake e) {
      fail(String.valueOf(e.getMessage()));
    } catch (Settings.Wrong | IllegalArgumentException e) {
      fail("The settings do not work: " + e.getMessage());
    } catch (DatabaseGone e) {
      fail("There is no database: " + e.getMessage());
    }
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(2);
  }

  /** The PostgreSQL of our own, started or found running; empty when the settings name another. */
  static Optional<EmbeddedPostgres> embedded(Settings settings) {
    return settings.database().isPresent()
        ? Optional.empty()
        : Optional.of(
            EmbeddedPostgres.start(
                settings.data().resolve("programs"),
                settings.data().resolve("postgres"),
                true,
                settings.databaseSystemUser()));
  }

  private static void up(String[] arguments) throws Exception {
    Settings settings = Settings.load(System.getenv());
    List<String> options = List.of(arguments).subList(1, arguments.length);
    if (options.isEmpty()) {
      up(settings, Optional.empty());
    } else if (options.equals(List.of(SimMarkets.OPTION))) {
      SimMarkets markets = SimMarkets.start(settings, CLOCK);
      up(Settings.load(markets.added(System.getenv(), settings)), Optional.of(markets));
    } else {
      throw new Settings.Wrong("up knows " + SimMarkets.OPTION + " and nothing else");
    }
  }

  private static void up(Settings settings, Optional<SimMarkets> markets) throws Exception {
    Files.createDirectories(settings.data());
    settings.observe().logFormat().begin();
    PrintStream out = settings.observe().logFormat().people();
    new SystemUser(settings.databaseSystemUser(), out::println).ensure();
    FileLock lock = lock(settings.data().resolve("lock"));
    Optional<EmbeddedPostgres> embedded = embedded(settings);
    Database database = Database.open(databaseSettings(settings, embedded));
    Wiring.Running system = Wiring.open(settings, database, Main::openProviders, CLOCK);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop(system, embedded, lock, stopped, out);
                  markets.ifPresent(SimMarkets::close);
                },
                "stop"));
    system.gateway().start();
    system.loops().start();
    system.workLoop().start();
    new Welcome(system).print(out);
    markets.ifPresent(simulated -> simulated.print(out));
    stopped.await();
  }

  /** Stops accepting, finishes what runs, leaves the environments running. */
  private static void stop(
      Wiring.Running system,
      Optional<EmbeddedPostgres> embedded,
      FileLock lock,
      CountDownLatch stopped,
      PrintStream out) {
    boolean ends = system.settings().endAllAtStop().isPresent();
    out.println(ends ? "Stopping; all leases end." : "Stopping; environments go on running.");
    system.closeListeners();
    system.settings().endAllAtStop().ifPresent(limit -> endAll(system, limit, out));
    system.loops().close();
    system.workLoop().close();
    system.gateway().close();
    system.providers().close();
    system.database().close();
    embedded.ifPresent(EmbeddedPostgres::close);
    try {
      lock.release();
    } catch (IOException e) {
      out.println("the lock stays until the process has ended: " + e.getMessage());
    }
    stopped.countDown();
  }

  private static void endAll(Wiring.Running system, Duration limit, PrintStream out) {
    try {
      int left = system.leases().endAll(limit);
      if (left > 0) {
        out.println(left + " leases are still ending; the next start goes on with that.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (DatabaseGone e) {
      out.println("leases could not be ended: " + e.getMessage());
    }
  }

  /** One server for one data folder. */
  private static FileLock lock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = channel.tryLock();
    if (lock == null) {
      channel.close();
      throw new Settings.Wrong(
          "another server runs on "
              + file.getParent()
              + "; stop it, or set GPUAAS_DATA to another folder");
    }
    return lock;
  }

  static DatabaseSettings databaseSettings(Settings settings, Optional<EmbeddedPostgres> embedded) {
    DatabaseSettings database =
        settings
            .database()
            .map(at ->
                new DatabaseSettings(
                    at.url(),
                    at.user(),
                    at.password(),
                    settings.databaseConnections(),
                    settings.databasePatience()))
            .orElseGet(() ->
                embedded
                    .orElseThrow()
                    .settings(
                        "gpuaas", settings.databaseConnections(), settings.databasePatience()));
    return database
        .withStatementTimeout(settings.databaseStatementTimeout())
        .withGroups(settings.databaseGroupWriters(), settings.databaseGroupMost());
  }

  /** Opens every provider of the settings, each behind its gate. */
  static Providers openProviders(
      Settings settings, String deployment, InstantSource clock, ProviderOpener.CallWatcher watcher)
      throws IOException {
    Map<String, Provider> providers = new LinkedHashMap<>();
    for (Map.Entry<String, Settings.ProviderSettings> entry : settings.providers().entrySet()) {
      String type = entry.getValue().type();
      ProviderFactory factory =
          ServiceLoader.load(ProviderFactory.class).stream()
              .map(ServiceLoader.Provider::get)
              .filter(candidate -> candidate.type().equals(type))
              .findFirst()
              .orElseThrow(() -> new Settings.Wrong("there is no type of provider called " + type));
      Path folder =
          Files.createDirectories(settings.data().resolve("providers").resolve(entry.getKey()));
      ProviderConfig config =
          new ProviderConfig(
              entry.getKey(), deployment, folder, clock, values(settings, entry.getValue()));
      providers.put(
          entry.getKey(),
          new ProviderGate(
              factory.open(config),
              settings.providerCallLimit(),
              settings.providerParallel(),
              (operation, worked, took) ->
                  watcher.called(entry.getKey(), operation, worked, took)));
    }
    return new Providers(providers);
  }

  /** Where only this machine's own people come, images may be of registries on it. */
  private static Map<String, String> values(Settings settings, Settings.ProviderSettings provider) {
    Map<String, String> values = new HashMap<>(provider.values());
    if (settings.development() && provider.type().equals("local")) {
      values.putIfAbsent("image-private", "loopback");
    }
    return values;
  }
}
