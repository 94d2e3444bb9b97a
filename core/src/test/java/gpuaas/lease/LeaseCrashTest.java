package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.ledger.Hold;
import gpuaas.ledger.HoldStore;
import gpuaas.ledger.LedgerStore;
import gpuaas.ledger.Transfer;
import gpuaas.ledger.Usage;
import gpuaas.ledger.UsageStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A server process with a real lease — real PostgreSQL, a real environment — is killed with SIGKILL
 * at each step in turn; a second process takes over. Nothing is lost, nothing is double, nothing is
 * left.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(1)
class LeaseCrashTest {

  static final int KILLED = 137;
  private static final long PATIENCE_SECONDS = 300;

  // Deleted by hand: the folders hold links to outside, which the library warns of one by one.
  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temporary;

  @AfterAll
  static void deleteFolders() throws Exception {
    new ProcessBuilder("rm", "-rf", "--one-file-system", temporary.toString()).start().waitFor();
  }

  /**
   * Each point in the life at which the first process dies: what it was about to do, or had just
   * done.
   */
  private static final List<String> STEPS =
      List.of(
          "before place 1",
          "after place 1",
          "before create 1",
          "after create 1",
          "before write 1",
          "after write 1",
          "before inspect 1",
          "before prove 1",
          "after prove 1",
          "before write 2",
          "after write 2",
          "after inspect 2",
          "before write 3",
          "after write 3",
          "before stop 1",
          "after stop 1",
          "before list 1",
          "before destroy 1",
          "after destroy 1",
          "before write 4",
          "after write 4");

  @TestFactory
  List<DynamicTest> convergesAfterAKillAt() {
    return STEPS.stream().map(step -> DynamicTest.dynamicTest(step, () -> killedAt(step))).toList();
  }

  @Test
  void everyStepOfALifeWithoutAKillIsInTheTable() throws Exception {
    // Adding a write or a call to the life without adding it to the table above fails here.
    Path folder = Files.createDirectory(temporary.resolve("whole"));
    DatabaseSettings settings = TestDatabase.settings();
    assertThat(run(settings, folder, CrashedServer.LIFE, "")).isZero();
    List<String> seen = Files.readAllLines(folder.resolve("steps"));
    assertThat(STEPS).allSatisfy(step -> assertThat(seen).contains(step));
    assertThat(seen.stream().filter(step -> step.startsWith("before create")))
        .containsExactly("before create 1");
  }

  private void killedAt(String step) throws Exception {
    Path folder = Files.createDirectory(temporary.resolve(step.replace(' ', '-')));
    DatabaseSettings settings = TestDatabase.settings();
    assertThat(run(settings, folder, CrashedServer.LIFE, step))
        .as("the first process dies at " + step)
        .isEqualTo(KILLED);
    assertThat(run(settings, folder, CrashedServer.LIFE, ""))
        .as("the second process brings it to its end")
        .isZero();
    try (Database database = Database.open(settings)) {
      check(database);
    }
    assertThat(CrashedServer.leftovers(folder)).as("environments left").isEmpty();
  }

  private static void check(Database database) {
    Lease lease = database.read(tx -> LeaseStore.find(tx, CrashedServer.LEASE)).orElseThrow();
    assertThat(lease.state()).isInstanceOf(Ended.class);
    List<Event> events = database.read(tx -> EventStore.ofLease(tx, lease.id(), 1000));
    assertThat(events.stream().filter(event -> event.type() == Event.Type.LEASE_ENDED)).hasSize(1);
    assertThat(events.getLast().type()).isEqualTo(Event.Type.LEASE_ENDED);
    assertThat(count(database, "gpu_claim")).isZero();
    assertThat(count(database, "work")).isZero();
    checkUsage(events, database.read(tx -> UsageStore.ofLease(tx, lease.id())));
    checkMoney(database, lease);
  }

  /** The bill is the whole time in one, nothing stays set aside, and all entries add up. */
  static void checkMoney(Database database, Lease lease) {
    List<String> differences = database.read(LedgerStore::differences);
    assertThat(differences).isEmpty();
    Hold hold = database.read(tx -> HoldStore.find(tx, lease.id())).orElseThrow();
    assertThat(hold.closedAt()).isPresent();
    assertThat(hold.heldMicros()).isZero();
    Duration ran = Duration.between(hold.startedAt().orElseThrow(), hold.usedTo().orElseThrow());
    assertThat(hold.costMicros())
        .isEqualTo(Usage.cost(ran.toSeconds(), 1, lease.pricePerGpuHourMicros()));
    List<Transfer> transfers = database.read(tx -> LedgerStore.ofLease(tx, lease.id()));
    assertThat(transfers.stream().filter(each -> each.kind() == Transfer.Kind.HOLD)).hasSize(1);
  }

  /** From the moment it ran to the wish to stop, each second once. */
  static void checkUsage(List<Event> events, List<Usage> usage) {
    Instant expected = at(events, Event.Type.LEASE_RUNNING);
    for (Usage part : usage) {
      assertThat(part.from()).isEqualTo(expected);
      expected = part.to();
    }
    assertThat(expected).isEqualTo(at(events, Event.Type.LEASE_STOPPING));
  }

  static Instant at(List<Event> events, Event.Type type) {
    return events.stream().filter(event -> event.type() == type).findFirst().orElseThrow().at();
  }

  static int run(DatabaseSettings settings, Path folder, String story, String killAt)
      throws Exception {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "-Xmx128m", "-XX:TieredStopAtLevel=1"));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), CrashedServer.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("output").toFile()));
    builder
        .environment()
        .putAll(
            Map.of(
                "URL", settings.url(),
                "USER_NAME", settings.user(),
                "PASSWORD", settings.password(),
                "FOLDER", folder.toString(),
                "STORY", story,
                "KILL_AT", killAt));
    Process process = builder.start();
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("did not end: " + Files.readString(folder.resolve("output")));
    }
    if (process.exitValue() != 0 && process.exitValue() != KILLED) {
      throw new AssertionError(
          "ended with " + process.exitValue() + ": " + Files.readString(folder.resolve("output")));
    }
    return process.exitValue();
  }

  static int count(Database database, String table) {
    return database.read(
        tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
  }
}
