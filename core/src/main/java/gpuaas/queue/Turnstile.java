package gpuaas.queue;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets many who want the same looked at share a look: who comes while one is under way waits for
 * the next, which begins after he came and so knows of him.
 *
 * @param <R> what a look finds
 */
final class Turnstile<R> {

  private final Map<String, Gate<R>> gates = new HashMap<>();

  private static final class Gate<R> {
    final ReentrantLock lock = new ReentrantLock();
    volatile long begun;
    @Nullable R last;
  }

  /**
   * Looks, or waits for the look of somebody else.
   *
   * @param what looks at the same are shared; there are few of these
   */
  R look(String what, Supplier<R> look) {
    Gate<R> gate;
    synchronized (gates) {
      gate = gates.computeIfAbsent(what, _ -> new Gate<>());
    }
    long before = gate.begun;
    gate.lock.lock();
    try {
      R last = gate.last;
      if (gate.begun > before && last != null) {
        return last;
      }
      gate.last = null; // a look that fails is nobody's answer
      gate.begun++;
      R found = look.get();
      gate.last = found;
      return found;
    } finally {
      gate.lock.unlock();
    }
  }
}
