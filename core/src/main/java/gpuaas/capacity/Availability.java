package gpuaas.capacity;

import gpuaas.spi.Assurance;
import gpuaas.spi.Region;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How much of a GPU model there is.
 *
 * @param gpusTotal all there are
 * @param gpusFree how many of them nobody holds
 * @param largestFree the most that are free on one machine
 * @param largestEver the most that one machine could ever give
 * @param assurance what the offer promises; empty when there is none
 */
public record Availability(
    int gpusTotal,
    int gpusFree,
    int largestFree,
    int largestEver,
    List<Region> regions,
    Optional<Assurance> assurance) {

  /** Summed over all rooms of one model. */
  public static Availability of(List<Room> rooms) {
    return new Availability(
        rooms.stream().mapToInt(room -> room.offer().gpuCountMost()).sum(),
        rooms.stream().mapToInt(room -> room.freeGpuIds().size()).sum(),
        rooms.stream().mapToInt(room -> room.freeGpuIds().size()).max().orElse(0),
        rooms.stream().mapToInt(room -> room.offer().gpuCountMost()).max().orElse(0),
        rooms.stream().map(room -> room.offer().region()).distinct().toList(),
        rooms.stream().map(room -> room.offer().assurance()).findFirst());
  }

  /** This, and what there is elsewhere. */
  Availability and(Availability other) {
    return new Availability(
        gpusTotal + other.gpusTotal,
        gpusFree + other.gpusFree,
        Math.max(largestFree, other.largestFree),
        Math.max(largestEver, other.largestEver),
        Stream.concat(regions.stream(), other.regions.stream()).distinct().toList(),
        assurance.or(other::assurance));
  }
}
