package gpuaas.spi;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until a test moves it. */
public final class TestClock implements InstantSource {

  private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

  @Override
  public Instant instant() {
    return now;
  }

  /** Moves on, or back when negative. */
  public synchronized void advance(Duration by) {
    now = now.plus(by);
  }
}
