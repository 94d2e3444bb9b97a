package gpuaas.work;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.spi.Eventually;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Work is done if its transaction commits, woken work at once, failed work again, lost picks are
 * freed.
 */
class WorkLoopTest {

  private static final UUID ROW = new UUID(0, 1);
  private static final Duration HOUR = Duration.ofHours(1);

  private static Reconciler reconciler(Step step) {
    return new Reconciler() {
      @Override
      public String kind() {
        return "test";
      }

      @Override
      public Next step(UUID id) {
        return step.step(id);
      }
    };
  }

  private interface Step {
    Next step(UUID id);
  }

  private static WorkLoop loop(Database database, Reconciler reconciler) {
    WorkLoop loop =
        new WorkLoop(
            database, Clock.systemUTC(), "server", 4, Duration.ofMillis(200), List.of(reconciler));
    loop.start();
    return loop;
  }

  private static void due(Database database, Instant at) {
    database.run(tx -> WorkStore.due(tx, "test", ROW, at));
  }

  @Test
  void rolledBackWorkIsNeverDone() {
    AtomicInteger steps = new AtomicInteger();
    try (Database database = TestDatabase.open();
        WorkLoop loop = loop(database, reconciler(id -> count(steps, Next.done())))) {
      try {
        database.run(tx -> {
          WorkStore.due(tx, "test", ROW, Instant.EPOCH);
          throw new IllegalStateException("rolled back");
        });
      } catch (IllegalStateException expected) {
        assertThat(expected).hasMessage("rolled back");
      }
      UUID other = new UUID(0, 2);
      database.run(tx -> WorkStore.due(tx, "test", other, Instant.EPOCH));
      loop.wake("test", other);
      Eventually.within(Duration.ofSeconds(10), "the other was done", () -> steps.get() > 0);
      assertThat(steps).hasValue(1);
    }
  }

  private static Next count(AtomicInteger steps, Next next) {
    steps.incrementAndGet();
    return next;
  }

  @Test
  void wakingBeatsALongPauseAndAFailureIsTriedAgain() {
    AtomicInteger steps = new AtomicInteger();
    Reconciler reconciler =
        reconciler(id -> {
          if (steps.incrementAndGet() == 1) {
            throw new IllegalStateException("on purpose");
          }
          return Next.after(HOUR);
        });
    try (Database database = TestDatabase.open();
        WorkLoop loop = loop(database, reconciler)) {
      due(database, Instant.EPOCH);
      Eventually.within(Duration.ofSeconds(15), "failed once, done once", () -> steps.get() == 2);
      due(database, Instant.EPOCH);
      loop.wake("test", ROW);
      Eventually.within(Duration.ofSeconds(10), "woken", () -> steps.get() == 3);
    }
  }

  @Test
  void wakingDuringAStepIsNotLost() {
    // The row is picked while the step runs, so the wish to look again must survive in another way.
    AtomicInteger steps = new AtomicInteger();
    WorkLoop[] loop = new WorkLoop[1];
    try (Database database = TestDatabase.open()) {
      Reconciler reconciler =
          reconciler(id -> {
            if (steps.incrementAndGet() == 1) {
              due(database, Instant.EPOCH);
              loop[0].wake("test", ROW);
            }
            return Next.after(HOUR);
          });
      loop[0] = loop(database, reconciler);
      due(database, Instant.EPOCH);
      loop[0].wake("test", ROW);
      Eventually.within(Duration.ofSeconds(10), "looked at again", () -> steps.get() == 2);
      loop[0].close();
    }
  }

  @Test
  void aStepThatGoesOnIsNotAskedToLookAgainUnlessSomebodyWokeIt() {
    // Shows that what was just written is carried on, and that nobody's news is passed over.
    List<String> steps = new CopyOnWriteArrayList<>();
    WorkLoop[] loop = new WorkLoop[1];
    try (Database database = TestDatabase.open()) {
      Reconciler reconciler =
          reconciler(id -> {
            steps.add("looked");
            return steps.size() > 1
                ? Next.after(HOUR)
                : Next.goOn(() -> {
                  steps.add("went on");
                  loop[0].wake("test", ROW);
                  return Next.goOn(() -> {
                    throw new AssertionError("did not look though it was woken");
                  });
                });
          });
      loop[0] = loop(database, reconciler);
      due(database, Instant.EPOCH);
      loop[0].wake("test", ROW);
      Eventually.within(Duration.ofSeconds(10), "looked again", () -> steps.size() == 3);
      assertThat(steps).containsExactly("looked", "went on", "looked");
      loop[0].close();
    }
  }

  @Test
  void manyThatAreDoneAtOnceAreAllGivenBackOrForgotten() {
    // Shows that rows of work which are given back together keep apart who is done and who is not.
    AtomicInteger steps = new AtomicInteger();
    Reconciler reconciler =
        reconciler(id ->
            count(steps, id.getLeastSignificantBits() % 2 == 0 ? Next.done() : Next.after(HOUR)));
    try (Database database = TestDatabase.open();
        WorkLoop loop = loop(database, reconciler)) {
      database.run(tx -> {
        for (int i = 0; i < 100; i++) {
          WorkStore.due(tx, "test", new UUID(0, i), Instant.EPOCH);
        }
      });
      loop.wake("test", ROW);
      Eventually.within(
          Duration.ofSeconds(20),
          "all are free or gone",
          () -> count(database, "") == 50 && count(database, "where not picked") == 50);
      assertThat(steps).hasValue(100);
      assertThat(count(database, "where execution_time > now() + interval '50 minutes'"))
          .isEqualTo(50);
    }
  }

  private static int count(Database database, String which) {
    return database.read(
        tx -> tx.query("select count(*)::int from work " + which).mapTo(Integer.class).one());
  }

  @Test
  void whatADeadServerHadPickedIsFreeWhenItIsBack() {
    AtomicInteger steps = new AtomicInteger();
    try (Database database = TestDatabase.open()) {
      due(database, Instant.EPOCH);
      database.run(tx ->
          tx.update("update work set picked = true, picked_by = 'server', last_heartbeat = now()")
              .execute());
      try (WorkLoop _ = loop(database, reconciler(id -> count(steps, Next.done())))) {
        Eventually.within(Duration.ofSeconds(10), "done after the restart", () -> steps.get() == 1);
      }
    }
  }
}
