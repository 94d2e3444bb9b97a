package gpuaas.lease;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * Actors that run one at a time in simulated time. Each is a thread that runs blocking code; it
 * holds the baton until it pauses. Which one goes on follows from the pauses alone, so a seed
 * replays exactly.
 */
@NullMarked
final class Stage implements InstantSource {

  /** Thrown out of an actor's pause when the play is over. */
  static final class Over extends Error {
    Over() {
      super("the play is over", null, false, false);
    }
  }

  private record Wake(Instant at, long order, Actor actor) {}

  private static final class Actor {
    final String name;
    final Semaphore turn = new Semaphore(0);

    Actor(String name) {
      this.name = name;
    }
  }

  private final PriorityQueue<Wake> wakes =
      new PriorityQueue<>(Comparator.comparing(Wake::at).thenComparingLong(Wake::order));
  private final Semaphore baton = new Semaphore(0);
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private long order;
  private boolean over;
  private @Nullable Actor onStage;
  private Optional<Throwable> failure = Optional.empty();

  @Override
  public Instant instant() {
    return now;
  }

  /** The name of the actor that holds the baton. */
  String current() {
    Actor actor = onStage;
    return actor == null ? "nobody" : actor.name;
  }

  /** An actor that begins at once. */
  void enter(String name, Runnable script) {
    Actor actor = new Actor(name);
    wakes.add(new Wake(now, order++, actor));
    Thread.ofVirtual()
        .start(() -> {
          actor.turn.acquireUninterruptibly();
          try {
            if (!over) {
              script.run();
            }
          } catch (Over end) {
            // as wanted
          } catch (Throwable e) {
            failure = Optional.of(e);
          } finally {
            baton.release();
          }
        });
  }

  /** Called by the actor that holds the baton: gives it back for so long. */
  void pause(Duration pause) {
    Actor self = onStage;
    if (self == null || over) {
      throw new Over();
    }
    wakes.add(new Wake(now.plus(pause), order++, self));
    baton.release();
    self.turn.acquireUninterruptibly();
    if (over) {
      throw new Over();
    }
  }

  /** Plays until that time or until all actors have left; after each move the check is made. */
  void play(Instant until, Runnable check) {
    while (!wakes.isEmpty() && !wakes.peek().at().isAfter(until)) {
      Wake next = wakes.remove();
      now = next.at().isAfter(now) ? next.at() : now;
      move(next.actor());
      failure.ifPresent(e -> {
        throw e instanceof Violation violation
            ? violation
            : new Violation("an actor failed: " + e, e);
      });
      check.run();
    }
    now = until;
  }

  /** Ends all actors, wherever they are. */
  void close() {
    over = true;
    while (!wakes.isEmpty()) {
      move(wakes.remove().actor());
    }
  }

  private void move(Actor actor) {
    onStage = actor;
    actor.turn.release();
    baton.acquireUninterruptibly();
    onStage = null;
  }
}
