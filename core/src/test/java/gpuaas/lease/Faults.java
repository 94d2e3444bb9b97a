package gpuaas.lease;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.NullMarked;

/** What goes wrong, and how long things take, by a seed. */
@NullMarked
final class Faults {

  /** The process that ran this actor was killed. */
  static final class Crash extends Error {
    Crash() {
      super("crashed", null, false, false);
    }
  }

  private static final Duration STALL = Duration.ofSeconds(120);

  private final RandomGenerator random;
  private final Stage stage;
  private final Trace trace;
  private boolean on = true;

  Faults(RandomGenerator random, Stage stage, Trace trace) {
    this.random = random;
    this.stage = stage;
    this.trace = trace;
  }

  /** From now on nothing goes wrong. */
  void end() {
    on = false;
  }

  boolean isOn() {
    return on;
  }

  /** A point between two effects: time passes, and here the process may stall or die. */
  void moment(String where, Duration longest) {
    boolean delicate =
        where.contains("create") || where.contains("place") || where.contains("write");
    double probability = delicate ? 0.03 : 0.003;
    if (chance(probability)) {
      trace.say("CRASH " + where);
      throw new Crash();
    }
    if (chance(probability)) {
      trace.say("STALL " + where);
      stage.pause(STALL);
    } else {
      stage.pause(Duration.ofMillis(random.nextLong(longest.toMillis() + 1)));
    }
  }

  /** True with this probability, while faults are on. */
  boolean chance(double probability) {
    return random.nextDouble() < probability && on;
  }

  Duration upTo(Duration longest) {
    return Duration.ofMillis(random.nextLong(longest.toMillis() + 1));
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  /** Where a simulation says what it does; silent unless a seed is replayed. */
  @FunctionalInterface
  interface Trace {
    void say(String what);
  }
}
