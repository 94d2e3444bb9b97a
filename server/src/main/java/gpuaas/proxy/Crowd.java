package gpuaas.proxy;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Who is being led to which lease: so that they are not too many, and can be sent away. */
final class Crowd {

  private final int mostPerLease;
  private final Map<Guest, Boolean> inside = new ConcurrentHashMap<>();
  private final Map<UUID, Integer> counts = new ConcurrentHashMap<>();

  Crowd(int mostPerLease) {
    this.mostPerLease = mostPerLease;
  }

  /** A connection on its way to a port of a lease; each is itself only. */
  static final class Guest implements AutoCloseable {
    private final UUID lease;
    private final int port;
    private final Crowd crowd;
    private final Runnable abort;

    private Guest(UUID lease, int port, Crowd crowd, Runnable abort) {
      this.lease = lease;
      this.port = port;
      this.crowd = crowd;
      this.abort = abort;
    }

    @Override
    public void close() {
      crowd.leave(this);
    }
  }

  /**
   * Lets one more in.
   *
   * @param abort called at most once, when it may not stay
   * @return whether there was room; then it must be closed
   */
  java.util.Optional<Guest> enter(UUID lease, int port, Runnable abort) {
    int count = counts.merge(lease, 1, Integer::sum);
    Guest guest = new Guest(lease, port, this, abort);
    inside.put(guest, true);
    if (count > mostPerLease) {
      leave(guest);
      return java.util.Optional.empty();
    }
    return java.util.Optional.of(guest);
  }

  private void leave(Guest guest) {
    if (inside.remove(guest) != null) {
      counts.computeIfPresent(guest.lease, (_, count) -> count > 1 ? count - 1 : null);
    }
  }

  /** Sends everybody of a lease away. */
  void end(UUID lease) {
    of(lease).forEach(guest -> guest.abort.run());
  }

  /** Sends everybody at a port of it away. */
  void end(UUID lease, int port) {
    of(lease).stream().filter(guest -> guest.port == port).forEach(guest -> guest.abort.run());
  }

  private List<Guest> of(UUID lease) {
    return inside.keySet().stream().filter(guest -> guest.lease.equals(lease)).toList();
  }
}
