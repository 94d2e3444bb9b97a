package gpuaas.local.pty;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits until something holds, at most ten seconds. */
final class Eventually {

  private Eventually() {}

  static void holds(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within ten seconds: " + what);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  /** So many processes with exactly this command line, the program by its full path. */
  static void running(int count, String commandLine) {
    holds(
        count + " processes " + commandLine,
        () ->
            ProcessHandle.allProcesses()
                    .filter(h -> h.info().commandLine().orElse("").equals(commandLine))
                    .count()
                == count);
  }
}
