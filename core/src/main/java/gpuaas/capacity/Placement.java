package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.spi.Tier;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Chooses where a want goes. Pure: the same rooms and wants give the same answer. */
public final class Placement {

  private Placement() {}

  /** A room, and the GPUs to take from it. */
  public record Choice(Room room, List<String> gpuIds) {}

  /**
   * Our own nodes before a market's machines, which cost money; of those the tightest room that
   * holds the want, so that large ones stay whole; then the cheapest; then by name.
   */
  public static Optional<Choice> choose(Want want, List<Room> rooms) {
    return rooms.stream()
        .filter(room -> suits(want, room) && room.freeGpuIds().size() >= want.gpuCount())
        .min(
            Comparator.comparing((Room room) -> room.node().isEmpty())
                .thenComparingInt(room -> room.freeGpuIds().size())
                .thenComparingLong(room -> room.offer().pricePerGpuHour().micros())
                .thenComparing(
                    room -> room.offer().provider() + "/" + room.node() + "/" + room.offer().id()))
        .map(room -> new Choice(room, room.freeGpuIds().subList(0, want.gpuCount())));
  }

  /**
   * The same, after everybody who came before has had their turn. A want ahead that does not fit
   * now blocks those behind it that compete for the same rooms, so that nobody large waits for
   * ever.
   */
  public static Optional<Choice> chooseInTurn(List<Want> ahead, Want want, List<Room> rooms) {
    FreeIndex left = new FreeIndex(rooms);
    Set<FreeIndex.Slot> kept = new HashSet<>();
    Set<Want> waiting = new HashSet<>();
    for (Want earlier : ahead) {
      if (waiting.contains(earlier)) {
        continue; // what it could use is kept for its like already
      }
      Optional<FreeIndex.Slot> slot = left.find(earlier, one -> !kept.contains(one));
      if (slot.isPresent()) {
        left.take(slot.get(), earlier.gpuCount());
      } else if (left.couldEverFit(earlier)) {
        kept.addAll(left.slots(earlier));
        waiting.add(earlier);
      }
    }
    return left.find(want, one -> !kept.contains(one))
        .map(slot -> left.take(slot, want.gpuCount()));
  }

  /** False when no room could hold it, even if nobody else were there. */
  public static boolean couldEverFit(Want want, List<Room> rooms) {
    return rooms.stream()
        .anyMatch(room -> suits(want, room) && room.offer().gpuCountMost() >= want.gpuCount());
  }

  /**
   * What the cheapest provider asks for a GPU of this want and an hour, if any asks for money: of
   * those that have it now, or if nobody has, of all.
   */
  public static Optional<Long> cheapest(Want want, List<Room> rooms) {
    List<Room> all =
        rooms.stream()
            .filter(room -> suits(want, room) && room.offer().pricePerGpuHour().micros() > 0)
            .toList();
    List<Room> free =
        all.stream().filter(room -> room.freeGpuIds().size() >= want.gpuCount()).toList();
    return (free.isEmpty() ? all : free)
        .stream().map(room -> room.offer().pricePerGpuHour().micros()).min(Long::compare);
  }

  /**
   * Our own nodes, and of a market what costs us no more than we take for it: the price of a lease
   * is fixed, and nothing is rented at a loss.
   */
  public static List<Room> affordable(List<Room> rooms, long pricePerGpuHourMicros) {
    return rooms.stream()
        .filter(room ->
            !room.node().isEmpty()
                || room.offer().pricePerGpuHour().micros() <= pricePerGpuHourMicros)
        .toList();
  }

  /**
   * True when the room is of the kind that is wanted, whatever is free in it. A spot lease may have
   * room on a machine that we place on ourselves, for there we can take it back; a market's spot
   * offers are a kind of their own.
   */
  public static boolean suits(Want want, Room room) {
    return want.offer().map(OfferKey.of(room.offer())::equals).orElse(true)
        && want.provider().map(room.offer().provider()::equals).orElse(true)
        && room.offer().gpu().model().equals(want.gpuModel())
        && (!room.isWhole() || room.offer().gpuCount() == want.gpuCount())
        && (room.offer().tier() == want.tier()
            || (want.tier() == Tier.SPOT && !room.node().isEmpty()))
        && want.region().map(region -> region.equals(room.offer().region())).orElse(true);
  }
}
