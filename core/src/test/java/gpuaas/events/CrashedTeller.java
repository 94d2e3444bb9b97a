package gpuaas.events;

import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A process that writes two events of one lease, relays them and sends them to one endpoint, and
 * kills itself with SIGKILL at the step that it is told.
 */
public final class CrashedTeller {

  private final Path folder;
  private final String killAt;
  private final Map<String, Integer> counts = new HashMap<>();

  private CrashedTeller(Path folder, String killAt) {
    this.folder = folder;
    this.killAt = killAt;
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> given = System.getenv();
    DatabaseSettings settings =
        new DatabaseSettings(
            given.get("URL"),
            given.get("USER_NAME"),
            given.get("PASSWORD"),
            6,
            Duration.ofSeconds(5));
    UUID owner = UUID.fromString(given.get("OWNER"));
    UUID lease = UUID.fromString(given.get("LEASE"));
    try (Database database = Database.open(settings)) {
      new CrashedTeller(Path.of(given.get("FOLDER")), given.get("KILL_AT"))
          .live(database, owner, lease);
    }
    System.exit(0);
  }

  private void live(Database database, UUID id, UUID lease) throws IOException {
    Caller owner = new Caller(id, "test", id, id, Standing.OWNER, Optional.empty(), "crash");
    EventSink dying =
        (tx, events) -> {
          if (!events.isEmpty()) {
            step("take");
            tx.afterCommit(() -> step("taken"));
          }
        };
    WebhookRules quick =
        new WebhookRules(
            java.util.List.of(Duration.ZERO, Duration.ofMillis(50), Duration.ofMillis(50)),
            Duration.ofMillis(500),
            3,
            4,
            2,
            Duration.ofMillis(20),
            2,
            10,
            Duration.ofHours(1),
            Duration.ofDays(30));
    try (EventStage _ = new EventStage(database, folder, quick, senderClock(), dying).start()) {
      for (long sequence = 1; sequence <= 2; sequence++) {
        append(database, EventStage.event(owner, lease, sequence));
      }
      Eventually.within(Duration.ofSeconds(30), "both are delivered", () -> delivered(database));
    }
  }

  /** What a change does, if it has not done so already. */
  private void append(Database database, Event event) {
    boolean there =
        database.read(tx -> EventStore.ofLease(tx, event.lease(), 10)).stream()
            .anyMatch(known -> known.sequence() == event.sequence());
    if (!there) {
      database.run(tx -> {
        EventStore.append(tx, event);
        step("append");
      });
      step("appended");
    }
  }

  /** A sender asks for the time twice: before it sends, and before it writes what came of it. */
  private InstantSource senderClock() {
    return () -> {
      if (Thread.currentThread().getName().startsWith("webhook-")) {
        step("clock");
      }
      return EventStage.CLOCK.instant();
    };
  }

  private static boolean delivered(Database database) {
    return database.read(tx ->
        tx.query("select count(*) from webhook_delivery where state = 'delivered'")
            .mapTo(Integer.class)
            .one())
        == 2;
  }

  private synchronized void step(String name) {
    String step = name + " " + counts.merge(name, 1, Integer::sum);
    try {
      Files.writeString(
          folder.resolve("steps"),
          step + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
      if (step.equals(killAt)) {
        new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid()))
            .start()
            .waitFor();
        throw new IllegalStateException("survived SIGKILL");
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
