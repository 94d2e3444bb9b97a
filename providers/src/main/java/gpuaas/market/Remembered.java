package gpuaas.market;

import java.util.LinkedHashMap;
import java.util.Optional;

/** What was seen lately, the oldest forgotten first. Safe for many threads. */
final class Remembered<K, V> {

  private final int most;
  private final LinkedHashMap<K, V> entries = new LinkedHashMap<>();

  Remembered(int most) {
    this.most = most;
  }

  synchronized void put(K key, V value) {
    entries.remove(key);
    entries.put(key, value);
    if (entries.size() > most) {
      K oldest = entries.keySet().iterator().next();
      entries.remove(oldest);
    }
  }

  /** Puts it only if nothing is there; what was there. */
  synchronized Optional<V> putIfNew(K key, V value) {
    Optional<V> before = Optional.ofNullable(entries.get(key));
    if (before.isEmpty()) {
      put(key, value);
    }
    return before;
  }

  synchronized Optional<V> find(K key) {
    return Optional.ofNullable(entries.get(key));
  }

  synchronized void remove(K key) {
    entries.remove(key);
  }
}
