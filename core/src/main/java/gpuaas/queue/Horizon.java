package gpuaas.queue;

import gpuaas.capacity.FreeIndex.Machine;
import gpuaas.capacity.FreeIndex.Slot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * When GPUs of our own machines will be free, as far as that is known: no sooner than this. Not for
 * several threads.
 */
final class Horizon {

  /** So many GPUs are given back. */
  record Release(Machine machine, int gpus, Instant at) {}

  private final Instant now;
  private final Map<Machine, List<Release>> byMachine = new HashMap<>();

  Horizon(Instant now, List<Release> releases) {
    this.now = now;
    releases.forEach(this::add);
  }

  void add(Release release) {
    List<Release> there = byMachine.computeIfAbsent(release.machine(), _ -> new ArrayList<>());
    there.add(release);
    there.sort(Comparator.comparing(Release::at));
  }

  /** When so many are free in it at the soonest; empty: that is not known. */
  Optional<Instant> earliest(Slot slot, int count) {
    int free = slot.free();
    if (free >= count) {
      return Optional.of(now);
    }
    for (Release release : of(slot)) {
      free += release.gpus();
      if (free >= count) {
        return Optional.of(release.at().isBefore(now) ? now : release.at());
      }
    }
    return Optional.empty();
  }

  /** How many are free in it then. */
  int freeAt(Slot slot, Instant then) {
    int free = slot.free();
    for (Release release : of(slot)) {
      if (release.at().isAfter(then)) {
        break;
      }
      free += release.gpus();
    }
    return free;
  }

  /** Every moment at which one of these changes, from now on. */
  List<Instant> moments(List<Slot> slots) {
    TreeSet<Instant> moments = new TreeSet<>();
    moments.add(now);
    for (Slot slot : slots) {
      of(slot).stream().map(Release::at).filter(now::isBefore).forEach(moments::add);
    }
    return List.copyOf(moments);
  }

  private List<Release> of(Slot slot) {
    return slot.room().node().isEmpty()
        ? List.of()
        : byMachine.getOrDefault(slot.machine(), List.of());
  }
}
