package gpuaas.proxy;

import java.time.Duration;

/**
 * Until when a connection may stay as it is. What must be done by then is either a certain step, or
 * that any byte passes.
 */
final class Progress {

  private volatile long deadlineNanos;
  private volatile long idleNanos;
  private volatile long lastNanos = System.nanoTime();
  private volatile Runnable used = () -> {};

  /** A step that must be over by then, however many bytes pass. */
  void within(Duration limit) {
    idleNanos = 0;
    deadlineNanos = System.nanoTime() + limit.toNanos();
  }

  /**
   * From now on bytes may pass for as long as they like, but not pause for longer than this.
   *
   * @param byteUsed told whenever some passed
   */
  void flow(Duration idle, Runnable byteUsed) {
    used = byteUsed;
    deadlineNanos = System.nanoTime() + idle.toNanos();
    idleNanos = idle.toNanos();
  }

  /** Bytes passed. */
  void moved() {
    lastNanos = System.nanoTime();
    if (idleNanos > 0) {
      deadlineNanos = lastNanos + idleNanos;
      used.run();
    }
  }

  /** How long ago bytes last passed. */
  Duration sinceMoved() {
    return Duration.ofNanos(System.nanoTime() - lastNanos);
  }

  boolean isOver() {
    return System.nanoTime() - deadlineNanos > 0;
  }
}
