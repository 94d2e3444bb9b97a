package gpuaas.market;

import gpuaas.spi.ProviderException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Lets calls through at an even rate, after a small burst; and none while told to stay away. */
final class Pace {

  private final long intervalNanos;
  private final long burstNanos;
  private final Duration waitMost;
  private long nextNanos;
  private long closedUntilNanos;

  /**
   * @param waitMost a call that would have to wait longer is refused instead
   */
  Pace(double perSecond, int burst, Duration waitMost) {
    this.intervalNanos = (long) (TimeUnit.SECONDS.toNanos(1) / perSecond);
    this.burstNanos = intervalNanos * (burst - 1);
    this.waitMost = waitMost;
    this.nextNanos = System.nanoTime() - burstNanos;
    this.closedUntilNanos = System.nanoTime();
  }

  /**
   * Waits for a turn.
   *
   * @throws ProviderException.RateLimited when the turn is too far away; nothing was sent
   */
  void await() {
    long until = reserve();
    for (long left; (left = until - System.nanoTime()) > 0; ) {
      if (Thread.currentThread().isInterrupted()) {
        throw new ProviderException.Unavailable("interrupted before the call was made", null);
      }
      LockSupport.parkNanos(left);
    }
  }

  private synchronized long reserve() {
    long now = System.nanoTime();
    long turn = nextNanos - now < -burstNanos ? now - burstNanos : nextNanos;
    long start = turn;
    if (closedUntilNanos - start > 0) {
      start = closedUntilNanos;
    }
    Duration wait = Duration.ofNanos(Math.max(0, start - now));
    if (wait.compareTo(waitMost) > 0) {
      throw new ProviderException.RateLimited("too many calls are waiting for their turn", wait);
    }
    nextNanos = (start - turn > 0 ? start : turn) + intervalNanos;
    return start;
  }

  /** No calls for so long: the other side has asked for that. */
  synchronized void stayAway(Duration pause) {
    long until = System.nanoTime() + pause.toNanos();
    if (until - closedUntilNanos > 0) {
      closedUntilNanos = until;
    }
  }
}
