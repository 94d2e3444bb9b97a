package gpuaas.local;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;

/** A lock for each key that somebody wants at present; none for the others. */
public final class KeyedLocks {

  private final ConcurrentMap<String, Entry> entries = new ConcurrentHashMap<>();

  private record Entry(Semaphore free, int users) {}

  /** Held until it is closed. */
  public interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /** Waits until nobody else holds this key. */
  public Held hold(String key) {
    Entry entry =
        entries.compute(
            key,
            (_, known) ->
                known == null
                    ? new Entry(new Semaphore(1), 1)
                    : new Entry(known.free, known.users + 1));
    entry.free.acquireUninterruptibly();
    return () -> release(key, entry.free);
  }

  private void release(String key, Semaphore free) {
    free.release();
    entries.computeIfPresent(
        key, (_, known) -> known.users == 1 ? null : new Entry(known.free, known.users - 1));
  }
}
