package gpuaas.gateway;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** When a byte last passed into or out of a lease, by SSH or in a browser. Kept in memory only. */
public final class Activity {

  private final InstantSource clock;
  private final ConcurrentMap<UUID, Instant> last = new ConcurrentHashMap<>();

  public Activity(InstantSource clock) {
    this.clock = clock;
  }

  /** A byte passed, now. */
  public void touch(UUID lease) {
    last.put(lease, clock.instant());
  }

  /** Empty: none since this server started. */
  public Optional<Instant> last(UUID lease) {
    return Optional.ofNullable(last.get(lease));
  }

  /** The lease is over. */
  public void forget(UUID lease) {
    last.remove(lease);
  }
}
