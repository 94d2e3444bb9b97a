package gpuaas.local.image.registry;

import java.time.Duration;

/** A moment by which something must have happened; by the clock that nobody sets. */
record Deadline(long atNanos) {

  static Deadline in(Duration time) {
    return new Deadline(System.nanoTime() + time.toNanos());
  }

  boolean hasPassed() {
    return leftNanos() <= 0;
  }

  long leftNanos() {
    return atNanos - System.nanoTime();
  }
}
