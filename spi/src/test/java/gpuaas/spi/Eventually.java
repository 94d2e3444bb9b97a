package gpuaas.spi;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Waits for something to become true, with a deadline and a message, instead of sleeping. */
public final class Eventually {

  private static final long LOOK_EVERY_NANOS = Duration.ofMillis(20).toNanos();

  private Eventually() {}

  /** Returns as soon as the condition holds; fails with the message when it does not in time. */
  public static void within(Duration limit, String message, Supplier<Boolean> condition) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.get()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within " + limit + ": " + message);
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }
}
