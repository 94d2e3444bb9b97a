package gpuaas.capacity;

import gpuaas.capacity.Placement.Choice;
import gpuaas.catalog.Want;
import gpuaas.spi.Offer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Rooms by what is free in them, so that thousands of wants are placed without a look at every room
 * for each. Chooses as {@link Placement#choose} does, and remembers what it gave. Not for several
 * threads.
 */
public final class FreeIndex {

  private final Map<KindKey, Kind> kinds = new LinkedHashMap<>();
  private final Map<Machine, List<Slot>> machines = new HashMap<>();
  private final Map<Want, List<Kind>> suiting = new HashMap<>();
  private final Set<SlotKey> known = new HashSet<>();

  public FreeIndex(Collection<Room> rooms) {
    add(rooms);
  }

  /** A machine of a provider. */
  public record Machine(String provider, String node) {}

  private record KindKey(Offer offer, boolean own) {}

  private record SlotKey(String provider, String offer, String node) {}

  /** Rooms of one offer: a want suits all of them or none. */
  private static final class Kind {
    final Room sample;
    final List<Slot> slots = new ArrayList<>();
    BitSet[] byFree = {};
    boolean sorted;

    Kind(Room sample) {
      this.sample = sample;
    }

    void sort() {
      if (sorted) {
        return;
      }
      slots.sort(Comparator.comparing(slot -> slot.name));
      int most = slots.stream().mapToInt(Slot::free).max().orElse(0);
      byFree = new BitSet[most + 1];
      for (int free = 0; free <= most; free++) {
        byFree[free] = new BitSet(slots.size());
      }
      for (int rank = 0; rank < slots.size(); rank++) {
        Slot slot = slots.get(rank);
        slot.rank = rank;
        byFree[slot.free()].set(rank);
      }
      sorted = true;
    }

    void moved(Slot slot, int freeBefore) {
      if (sorted) {
        byFree[freeBefore].clear(slot.rank);
        byFree[slot.free()].set(slot.rank);
      }
    }

    /** The tightest that holds so many and is allowed; of those the first by name. */
    @Nullable Slot tightest(int count, Predicate<Slot> allowed) {
      sort();
      for (int free = count; free < byFree.length; free++) {
        BitSet these = byFree[free];
        for (int rank = these.nextSetBit(0); rank >= 0; rank = these.nextSetBit(rank + 1)) {
          Slot slot = slots.get(rank);
          if (allowed.test(slot)) {
            return slot;
          }
        }
      }
      return null;
    }
  }

  /** What is left of a room. */
  public static final class Slot {
    private final Room room;
    private final Kind kind;
    private final String name;
    private List<String> left;
    private int rank;

    private Slot(Room room, Kind kind) {
      this.room = room;
      this.kind = kind;
      this.name = room.offer().provider() + "/" + room.node() + "/" + room.offer().id();
      this.left = room.freeGpuIds();
    }

    /** The room, as it was. */
    public Room room() {
      return room;
    }

    /** How many GPUs are left in it. */
    public int free() {
      return left.size();
    }

    /** Where it is. */
    public Machine machine() {
      return new Machine(room.offer().provider(), room.node());
    }
  }

  /** More rooms; those that are known already stay as they are. */
  public void add(Collection<Room> rooms) {
    for (Room room : rooms) {
      Offer offer = room.offer();
      if (!known.add(new SlotKey(offer.provider(), offer.id(), room.node()))) {
        continue;
      }
      boolean own = !room.node().isEmpty();
      Kind kind = kinds.computeIfAbsent(new KindKey(offer, own), _ -> new Kind(room));
      Slot slot = new Slot(room, kind);
      kind.slots.add(slot);
      kind.sorted = false;
      if (own) {
        machines.computeIfAbsent(slot.machine(), _ -> new ArrayList<>()).add(slot);
      }
    }
    suiting.clear();
  }

  /** Where this want goes now, by the rules of {@link Placement#choose}. */
  public Optional<Slot> find(Want want) {
    return find(want, _ -> true);
  }

  /** The same, among those that are allowed. */
  public Optional<Slot> find(Want want, Predicate<Slot> allowed) {
    Slot best = null;
    for (Kind kind : suiting(want)) {
      Slot slot = kind.tightest(want.gpuCount(), allowed);
      if (slot != null && (best == null || isBetter(slot, best))) {
        best = slot;
      }
    }
    return Optional.ofNullable(best);
  }

  private static boolean isBetter(Slot one, Slot other) {
    boolean market = one.room.node().isEmpty();
    if (market != other.room.node().isEmpty()) {
      return !market;
    }
    if (one.free() != other.free()) {
      return one.free() < other.free();
    }
    long price = one.room.offer().pricePerGpuHour().micros();
    long otherPrice = other.room.offer().pricePerGpuHour().micros();
    return price != otherPrice ? price < otherPrice : one.name.compareTo(other.name) < 0;
  }

  /** Takes so many GPUs out of it, and out of all other rooms of that machine. */
  public Choice take(Slot slot, int count) {
    Room before = slot.left == slot.room.freeGpuIds() ? slot.room : room(slot);
    List<String> taken = slot.left.subList(0, count);
    List<Slot> same = machines.getOrDefault(slot.machine(), List.of(slot));
    for (Slot each : same) {
      int free = each.free();
      each.left =
          each == slot
              ? slot.left.subList(count, free)
              : each.left.stream().filter(gpu -> !taken.contains(gpu)).toList();
      each.kind.moved(each, free);
    }
    return new Choice(before, taken);
  }

  private static Room room(Slot slot) {
    return new Room(slot.room.offer(), slot.room.node(), slot.left);
  }

  /** All rooms of the kind that is wanted, whatever is free in them. */
  public List<Slot> slots(Want want) {
    return suiting(want).stream().flatMap(kind -> kind.slots.stream()).toList();
  }

  /** True when a room could hold it, if nobody else were there. */
  public boolean couldEverFit(Want want) {
    return suiting(want).stream()
        .anyMatch(kind -> kind.sample.offer().gpuCountMost() >= want.gpuCount());
  }

  /** How many GPUs are left, of all rooms together. */
  public int free() {
    return kinds.values().stream().flatMap(kind -> kind.slots.stream()).mapToInt(Slot::free).sum();
  }

  private List<Kind> suiting(Want want) {
    List<Kind> found = suiting.get(want);
    if (found == null) {
      found = kinds.values().stream().filter(kind -> Placement.suits(want, kind.sample)).toList();
      suiting.put(want, found);
    }
    return found;
  }
}
