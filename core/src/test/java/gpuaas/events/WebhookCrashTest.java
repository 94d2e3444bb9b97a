package gpuaas.events;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.events.Receiver.Received;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.Webhook.Delivery.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that tells two events is killed with SIGKILL between any two of its writes; a second
 * takes over. Both arrive, the first before the second, with the same bodies at every attempt.
 */
class WebhookCrashTest {

  private static final int KILLED = 137;
  private static final long PATIENCE_SECONDS = 300;

  @TempDir static Path temporary;

  /** Where the first process dies; the clock is asked before a delivery is sent and after. */
  private static final List<String> STEPS =
      List.of(
          "append 1",
          "appended 1",
          "append 2",
          "appended 2",
          "take 1",
          "taken 1",
          "clock 1",
          "clock 2",
          "clock 3",
          "clock 4");

  private record Scene(DatabaseSettings settings, Path folder, Caller owner, UUID lease) {}

  @TestFactory
  List<DynamicTest> everythingArrivesAfterAKillAt() {
    return STEPS.stream().map(step -> DynamicTest.dynamicTest(step, () -> killedAt(step))).toList();
  }

  @Test
  void everyStepOfATellingWithoutAKillIsInTheTable() throws Exception {
    // Adding a write without adding it to the table above fails here.
    try (Receiver receiver = new Receiver()) {
      Scene scene = scene("whole", receiver);
      assertThat(run(scene, "")).isZero();
      List<String> seen = Files.readAllLines(scene.folder().resolve("steps"));
      assertThat(seen.stream().filter(step -> !step.matches("take(n)? 2")))
          .hasSameElementsAs(STEPS);
      assertThat(receiver.received()).hasSize(2);
    }
  }

  private static Scene scene(String name, Receiver receiver) throws Exception {
    Path folder = Files.createDirectory(temporary.resolve(name.replace(' ', '-')));
    DatabaseSettings settings = TestDatabase.settings();
    try (Database database = Database.open(settings);
        EventStage stage = new EventStage(database, folder, EventStage.quick())) {
      Caller owner = EventStage.tenant(database);
      UUID lease = EventStage.lease(database, owner);
      stage.endpoint(owner, receiver.url(), "requested", "running");
      return new Scene(settings, folder, owner, lease);
    }
  }

  private static void killedAt(String step) throws Exception {
    try (Receiver receiver = new Receiver()) {
      Scene scene = scene(step, receiver);
      assertThat(run(scene, step)).as("the first process dies at " + step).isEqualTo(KILLED);
      assertThat(run(scene, "")).as("the second process tells the rest").isZero();
      SequencedSet<String> order = new LinkedHashSet<>();
      receiver.received().forEach(one -> order.add(one.eventId()));
      Event first = EventStage.event(scene.owner(), scene.lease(), 1);
      Event second = EventStage.event(scene.owner(), scene.lease(), 2);
      assertThat(order).containsExactly(first.outsideId(), second.outsideId());
      assertThat(receiver.received().stream().map(Received::body).distinct()).hasSize(2);
      boolean sentAndNotWritten = step.equals("clock 2") || step.equals("clock 4");
      assertThat(receiver.received()).hasSize(sentAndNotWritten ? 3 : 2);
      check(scene);
    }
  }

  private static void check(Scene scene) throws Exception {
    try (Database database = Database.open(scene.settings());
        EventStage stage = new EventStage(database, scene.folder(), EventStage.quick())) {
      Caller owner = scene.owner();
      UUID webhook =
          stage
              .webhooks()
              .list(owner, EventStage.VOICE, java.util.Optional.empty(), 10)
              .items()
              .getFirst()
              .id();
      assertThat(stage.deliveries(owner, webhook))
          .hasSize(2)
          .extracting(Delivery::state)
          .containsOnly(State.DELIVERED);
      List<Long> positions =
          database.read(tx ->
              tx.query("select position from event order by sequence").mapTo(Long.class).list());
      assertThat(positions).containsExactly(1L, 2L);
    }
  }

  private static int run(Scene scene, String killAt) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), CrashedTeller.class.getName()));
    Path output = scene.folder().resolve("output");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    builder
        .environment()
        .putAll(
            Map.of(
                "URL", scene.settings().url(),
                "USER_NAME", scene.settings().user(),
                "PASSWORD", scene.settings().password(),
                "FOLDER", scene.folder().toString(),
                "OWNER", scene.owner().user().toString(),
                "LEASE", scene.lease().toString(),
                "KILL_AT", killAt));
    Process process = builder.start();
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("did not end: " + Files.readString(output));
    }
    if (process.exitValue() != 0 && process.exitValue() != KILLED) {
      throw new AssertionError("ended with " + process.exitValue() + Files.readString(output));
    }
    return process.exitValue();
  }
}
