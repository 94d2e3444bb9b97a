package gpuaas.queue;

import gpuaas.capacity.FreeIndex.Slot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Somebody who waits and must not be delayed by those behind him: a lease, or all members of a
 * gang.
 */
final class Head {

  private final List<Waiter> members;
  private final Set<Slot> usable;
  private final Optional<Instant> start;

  /**
   * @param members one, or all of a gang
   * @param usable the rooms that could hold any of them, if nobody else were there
   */
  Head(List<Waiter> members, Set<Slot> usable, Horizon horizon) {
    this.members = List.copyOf(members);
    this.usable = Set.copyOf(usable);
    this.start = members.size() == 1 ? soonest(horizon) : soonestOfAll(horizon);
  }

  Set<Slot> usable() {
    return usable;
  }

  /** When it begins, if all others end when they are to; empty: that is not known. */
  Optional<Instant> start() {
    return start;
  }

  private int count() {
    return members.getFirst().want().gpuCount();
  }

  private Optional<Instant> soonest(Horizon horizon) {
    return usable.stream()
        .flatMap(slot -> horizon.earliest(slot, count()).stream())
        .min(Instant::compareTo);
  }

  private Optional<Instant> soonestOfAll(Horizon horizon) {
    List<Slot> slots = List.copyOf(usable);
    return horizon.moments(slots).stream().filter(then -> fitsAt(then, slots, horizon)).findFirst();
  }

  /** On the machines of one provider, the largest first, each where it fits tightest. */
  private boolean fitsAt(Instant then, List<Slot> slots, Horizon horizon) {
    return slots.stream()
        .map(slot -> slot.machine().provider())
        .distinct()
        .anyMatch(provider -> {
          List<Integer> free = new ArrayList<>();
          slots.stream()
              .filter(slot -> slot.machine().provider().equals(provider))
              .forEach(slot -> free.add(horizon.freeAt(slot, then)));
          return fit(free);
        });
  }

  private boolean fit(List<Integer> free) {
    List<Integer> counts =
        members.stream()
            .map(member -> member.want().gpuCount())
            .sorted(Comparator.reverseOrder())
            .toList();
    for (int count : counts) {
      int best = -1;
      for (int i = 0; i < free.size(); i++) {
        if (free.get(i) >= count && (best < 0 || free.get(i) < free.get(best))) {
          best = i;
        }
      }
      if (best < 0) {
        return false;
      }
      free.set(best, free.get(best) - count);
    }
    return true;
  }

  /**
   * True when it begins no later though somebody takes GPUs here.
   *
   * @param end when they are surely given back; empty: that is not known
   */
  boolean lets(Slot slot, int count, Optional<Instant> end, Horizon horizon) {
    if (!usable.contains(slot)) {
      return true;
    }
    if (start.isEmpty()) {
      return false;
    }
    if (end.filter(at -> !at.isAfter(start.get())).isPresent()) {
      return true;
    }
    if (members.size() > 1) {
      return false;
    }
    return isInTime(horizon.earliest(slot, count() + count))
        || usable.stream()
            .anyMatch(other ->
                !other.equals(slot)
                    && !other.machine().equals(slot.machine())
                    && isInTime(horizon.earliest(other, count())));
  }

  private boolean isInTime(Optional<Instant> then) {
    return then.isPresent() && !then.get().isAfter(start.orElseThrow());
  }
}
