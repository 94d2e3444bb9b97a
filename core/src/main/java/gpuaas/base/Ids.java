package gpuaas.base;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.UUID;

/** The one source of new ids, so that decisions can be replayed without it. */
@FunctionalInterface
public interface Ids {

  /** A new id, different from all others. */
  UUID next();

  /** Ids of version 7 (RFC 9562): they sort by the millisecond they were made in. */
  static Ids timeOrdered(InstantSource clock) {
    SecureRandom random = new SecureRandom();
    return () -> {
      byte[] tail = new byte[10];
      random.nextBytes(tail);
      long high = (clock.millis() << 16) | 0x7000 | ((tail[0] & 0x0f) << 8) | (tail[1] & 0xff);
      long low = 0;
      for (int i = 2; i < 10; i++) {
        low = (low << 8) | (tail[i] & 0xff);
      }
      return new UUID(high, (low & 0x3fffffffffffffffL) | 0x8000000000000000L);
    };
  }
}
