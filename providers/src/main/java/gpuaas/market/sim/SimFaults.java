package gpuaas.market.sim;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The faults that were ordered, and those that come by themselves, by a seed. */
public final class SimFaults {

  /** For every operation. */
  public static final String EVERY = "*";

  /** Until it is called off. */
  public static final int FOR_EVER = Integer.MAX_VALUE;

  private final List<Order> orders = new ArrayList<>();
  private final SplittableRandom random;
  private int percent;

  /** What can happen to a call. */
  public enum Kind {
    /** It takes longer, by so many milliseconds. */
    SLOW,
    /** The answer comes after so many milliseconds, though all is done at once. */
    HANG,
    /** Too many calls. */
    TOO_MANY,
    /** The connection ends before anything was done. */
    RESET,
    /** It is carried out, and the connection ends without an answer. */
    LOSE_REPLY,
    /** Half of the answer. */
    TRUNCATE,
    /** The server has failed. */
    BROKEN,
    /** The key is not known. */
    UNKNOWN_KEY,
    /** The account may have no more. */
    QUOTA
  }

  private record Order(Kind kind, String operation, long amount, AtomicInteger left) {}

  SimFaults(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /**
   * Orders a fault for the next calls of an operation.
   *
   * @param amount milliseconds, for those that take some
   */
  public synchronized void order(Kind kind, String operation, int times, long amount) {
    orders.add(new Order(kind, operation, amount, new AtomicInteger(times)));
  }

  /** From now on so many of a hundred calls meet a fault that nobody ordered. */
  public synchronized void byThemselves(int newPercent) {
    percent = newPercent;
  }

  /** Calls everything off. */
  public synchronized void clear() {
    orders.clear();
    percent = 0;
  }

  /** What happens to this call: each kind with its amount. */
  synchronized Map<Kind, Long> take(String operation) {
    Map<Kind, Long> taken = new EnumMap<>(Kind.class);
    for (Iterator<Order> each = orders.iterator(); each.hasNext(); ) {
      Order order = each.next();
      if (order.operation().equals(EVERY) || order.operation().equals(operation)) {
        taken.put(order.kind(), order.amount());
        if (order.left().decrementAndGet() == 0) {
          each.remove();
        }
      }
    }
    if (taken.isEmpty()) {
      byChance().ifPresent(kind -> taken.put(kind, 50L));
    }
    return taken;
  }

  private Optional<Kind> byChance() {
    if (percent == 0 || random.nextInt(100) >= percent) {
      return Optional.empty();
    }
    List<Kind> kinds =
        List.of(Kind.SLOW, Kind.TOO_MANY, Kind.RESET, Kind.LOSE_REPLY, Kind.TRUNCATE, Kind.BROKEN);
    return Optional.of(kinds.get(random.nextInt(kinds.size())));
  }
}
