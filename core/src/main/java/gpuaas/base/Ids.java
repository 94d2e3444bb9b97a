package gpuaas.base;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** The one source of new ids, so that decisions can be replayed without it. */
@FunctionalInterface
public interface Ids {

  /** A new id, different from all others. */
  UUID next();

  /**
   * Ids of version 7 (RFC 9562). Those of one source sort in the order they were made in, also
   * within a millisecond and when the clock is put back: 12 bits after the milliseconds count
   * (section 6.2, method 1), and begin low at random in each.
   */
  static Ids timeOrdered(InstantSource clock) {
    SecureRandom random = new SecureRandom();
    AtomicLong last = new AtomicLong(); // milliseconds, then the count
    return () -> {
      byte[] tail = new byte[9];
      random.nextBytes(tail);
      long now = (clock.millis() << 12) | (tail[0] & 0xff);
      long ticks = last.updateAndGet(before -> Math.max(before + 1, now));
      long high = ((ticks & ~0xfffL) << 4) | 0x7000 | (ticks & 0xfff);
      long low = 0;
      for (int i = 1; i < 9; i++) {
        low = (low << 8) | (tail[i] & 0xff);
      }
      return new UUID(high, (low & 0x3fffffffffffffffL) | 0x8000000000000000L);
    };
  }
}
