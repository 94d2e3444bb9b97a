package gpuaas.capacity;

import gpuaas.catalog.Want;
import gpuaas.spi.Tier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Which spot leases make room for a lease on demand. Pure. */
public final class Reclaim {

  private Reclaim() {}

  /** A lease that holds GPUs of a node. */
  public record Holder(UUID lease, String provider, String node, List<String> gpuIds) {
    public Holder {
      gpuIds = List.copyOf(gpuIds);
    }
  }

  /**
   * What to do.
   *
   * @param take these are taken back now
   * @param underWay true: there will be room when those that were taken back, and those that are
   *     ending, are gone
   */
  public record Answer(List<Holder> take, boolean underWay) {
    public Answer {
      take = List.copyOf(take);
    }
  }

  /**
   * The newest first, only as many as make it fit, and none if that would not help. Nothing is
   * taken back for a spot lease, nor while room is being made already.
   *
   * @param ahead what those want whose turn is before
   * @param leaving who is on the way out
   * @param newestFirst spot leases that could be taken back
   */
  public static Answer decide(
      List<Want> ahead,
      Want want,
      List<Room> rooms,
      List<Holder> leaving,
      List<Holder> newestFirst) {
    if (want.tier() == Tier.SPOT) {
      return new Answer(List.of(), false);
    }
    if (fits(ahead, want, with(rooms, leaving))) {
      return new Answer(List.of(), true);
    }
    List<Holder> taken = new ArrayList<>(leaving);
    List<Holder> take = new ArrayList<>();
    for (Holder holder : newestFirst) {
      taken.add(holder);
      take.add(holder);
      if (fits(ahead, want, with(rooms, taken))) {
        return new Answer(needed(ahead, want, rooms, leaving, take), true);
      }
    }
    return new Answer(List.of(), false);
  }

  /** Without those that it fits without, the oldest spared first. */
  private static List<Holder> needed(
      List<Want> ahead, Want want, List<Room> rooms, List<Holder> leaving, List<Holder> take) {
    List<Holder> kept = new ArrayList<>(take);
    for (Holder holder : take.reversed()) {
      List<Holder> fewer = new ArrayList<>(kept);
      fewer.remove(holder);
      List<Holder> gone = new ArrayList<>(leaving);
      gone.addAll(fewer);
      if (fits(ahead, want, with(rooms, gone))) {
        kept = fewer;
      }
    }
    return kept;
  }

  private static boolean fits(List<Want> ahead, Want want, List<Room> rooms) {
    return Placement.chooseInTurn(ahead, want, rooms).isPresent();
  }

  private static List<Room> with(List<Room> rooms, List<Holder> gone) {
    return rooms.stream().map(room -> with(room, gone)).toList();
  }

  private static Room with(Room room, List<Holder> gone) {
    List<String> free = new ArrayList<>(room.freeGpuIds());
    Set<String> known = new HashSet<>(free);
    for (Holder holder : gone) {
      boolean here =
          !room.node().isEmpty()
              && holder.provider().equals(room.offer().provider())
              && holder.node().equals(room.node());
      if (here) {
        holder.gpuIds().stream().filter(known::add).forEach(free::add);
      }
    }
    return new Room(room.offer(), room.node(), free);
  }
}
