package gpuaas.http;

import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Places for streams that stay open: so many in all, and so many of one user. */
public final class StreamPlaces {

  private final int most;
  private final int mostPerUser;
  private final AtomicInteger open = new AtomicInteger();
  private final Map<UUID, Integer> openByUser = new ConcurrentHashMap<>();

  public StreamPlaces(int most, int mostPerUser) {
    this.most = most;
    this.mostPerUser = mostPerUser;
  }

  /**
   * Takes one; in words, why there is none. Who has taken one gives it back with {@link #leave}.
   */
  public Optional<String> enter(UUID user) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      return Optional.of("The server has as many streams open as it may have: " + most);
    }
    if (openByUser.merge(user, 1, Integer::sum) > mostPerUser) {
      leave(user);
      return Optional.of("You have the most streams open that you may have: " + mostPerUser);
    }
    return Optional.empty();
  }

  /** Gives it back. */
  public void leave(UUID user) {
    open.decrementAndGet();
    openByUser.computeIfPresent(user, (_, count) -> count > 1 ? count - 1 : null);
  }
}
