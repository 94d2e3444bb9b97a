package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.ledger.UsageStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
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
 * A server process dies at each step of taking a spot lease back; a second process takes over. The
 * spot lease is told once, keeps its grace and pays for its time alone; the other gets the GPU.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(1)
class ReclaimCrashTest {

  // Deleted by hand: the folders hold links to outside, which the library warns of one by one.
  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temporary;

  @AfterAll
  static void deleteFolders() throws Exception {
    new ProcessBuilder("rm", "-rf", "--one-file-system", temporary.toString()).start().waitFor();
  }

  /** The first place of the firm lease is the decision to take the spot lease back. */
  private static final List<String> STEPS =
      List.of(
          "before place firm 1",
          "after place firm 1",
          "before write spot stopping 1",
          "after write spot stopping 1",
          "before list 1",
          "before destroy 1",
          "after destroy 1",
          "before write spot ended 1",
          "after write spot ended 1",
          "before create firm 1",
          "after create firm 1",
          "before write firm booting 1",
          "after write firm booting 1");

  @TestFactory
  List<DynamicTest> goesOnAfterAKillAt() {
    return STEPS.stream().map(step -> DynamicTest.dynamicTest(step, () -> killedAt(step))).toList();
  }

  @Test
  void everyStepWithoutAKillIsInTheTable() throws Exception {
    // A write of either lease that is not in the table, or not part of an ordinary life, fails
    // here.
    Path folder = Files.createDirectory(temporary.resolve("whole"));
    DatabaseSettings settings = TestDatabase.settings();
    assertThat(LeaseCrashTest.run(settings, folder, CrashedServer.RECLAIM, "")).isZero();
    List<String> seen = Files.readAllLines(folder.resolve("steps"));
    assertThat(seen).containsAll(STEPS);
    assertThat(seen.stream().filter(step -> step.startsWith("before write spot")))
        .filteredOn(step -> !step.startsWith("before write spot running"))
        .containsExactly(
            "before write spot booting 1",
            "before write spot stopping 1",
            "before write spot ended 1");
    try (Database database = Database.open(settings)) {
      check(database);
    }
  }

  private void killedAt(String step) throws Exception {
    Path folder = Files.createDirectory(temporary.resolve(step.replace(' ', '-')));
    DatabaseSettings settings = TestDatabase.settings();
    assertThat(LeaseCrashTest.run(settings, folder, CrashedServer.RECLAIM, step))
        .as("the first process dies at " + step)
        .isEqualTo(LeaseCrashTest.KILLED);
    assertThat(LeaseCrashTest.run(settings, folder, CrashedServer.RECLAIM, ""))
        .as("the second process brings it to its end")
        .isZero();
    try (Database database = Database.open(settings)) {
      check(database);
    }
    assertThat(CrashedServer.leftovers(folder)).as("environments left").isEmpty();
  }

  private static void check(Database database) {
    Lease spot = ended(database, CrashedReclaim.SPOT, EndReason.RECLAIMED);
    Lease firm = ended(database, CrashedReclaim.FIRM, EndReason.ASKED);
    assertThat(LeaseCrashTest.count(database, "gpu_claim")).isZero();
    assertThat(LeaseCrashTest.count(database, "work")).isZero();
    for (Lease lease : List.of(spot, firm)) {
      LeaseCrashTest.checkUsage(
          events(database, lease.id()), database.read(tx -> UsageStore.ofLease(tx, lease.id())));
      LeaseCrashTest.checkMoney(database, lease);
    }
    toldOnceAndInTime(events(database, spot.id()));
    assertThat(firm.history().reclaimAt()).isEmpty();
  }

  private static Lease ended(Database database, UUID id, EndReason why) {
    Lease lease = database.read(tx -> LeaseStore.find(tx, id)).orElseThrow();
    assertThat(lease.state())
        .isInstanceOfSatisfying(Ended.class, e -> assertThat(e.why()).isEqualTo(why));
    return lease;
  }

  private static List<Event> events(Database database, UUID id) {
    return database.read(tx -> EventStore.ofLease(tx, id, 1000));
  }

  private static void toldOnceAndInTime(List<Event> events) {
    assertThat(events.stream().map(Event::type))
        .containsOnlyOnce(Event.Type.LEASE_RECLAIMING, Event.Type.LEASE_ENDED)
        .containsSubsequence(
            Event.Type.LEASE_RUNNING,
            Event.Type.LEASE_RECLAIMING,
            Event.Type.LEASE_STOPPING,
            Event.Type.LEASE_ENDED);
    Event told =
        events.stream()
            .filter(event -> event.type() == Event.Type.LEASE_RECLAIMING)
            .findFirst()
            .orElseThrow();
    Instant deadline = Instant.parse(told.details().get("at"));
    assertThat(deadline).isAfterOrEqualTo(told.at().plus(CrashedServer.RULES.spotGrace()));
    assertThat(LeaseCrashTest.at(events, Event.Type.LEASE_STOPPING)).isAfterOrEqualTo(deadline);
  }
}
