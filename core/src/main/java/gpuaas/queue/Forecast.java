package gpuaas.queue;

import gpuaas.capacity.Availability;
import gpuaas.capacity.Delay;
import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.Room;
import gpuaas.catalog.Gang;
import gpuaas.queue.Horizon.Release;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.UUID;
import java.util.function.ToIntFunction;

/**
 * What those who wait for a GPU model can expect, as it looks at one moment. Pure.
 *
 * @param line all who wait and could begin, in their turn
 * @param rooms of our own machines and of markets, for all of them
 * @param releases when GPUs are given back, as far as that is known
 * @param shares who may have how much
 */
record Forecast(
    Instant now,
    List<Waiter> line,
    List<Room> rooms,
    List<Release> releases,
    Availability there,
    Shares shares,
    Set<String> connected) {

  /**
   * Why a lease waits; empty when it is not in the line.
   *
   * @param asked how many members of somebody's gang were asked for
   */
  Optional<Delay> explain(UUID lease, ToIntFunction<Waiter> asked, QueueRules rules) {
    int ahead = 0;
    while (ahead < line.size() && !line.get(ahead).id().equals(lease)) {
      ahead++;
    }
    if (ahead == line.size()) {
      return Optional.empty();
    }
    Waiter waiter = line.get(ahead);
    Optional<Instant> start = start(ahead, rules);
    return Optional.of(new Delay(ahead + 1, reason(waiter, asked, ahead, start), start));
  }

  private String reason(
      Waiter waiter, ToIntFunction<Waiter> asked, int ahead, Optional<Instant> start) {
    String model = waiter.want().gpuModel();
    if (waiter.gang().isPresent()) {
      Gang gang = waiter.gang().get();
      int members = asked.applyAsInt(waiter);
      if (members < gang.size()) {
        return "Its gang is incomplete: " + members + "/" + gang.size() + " were asked for.";
      }
      if (present(waiter) < gang.size()) {
        return "Another member of its gang waits for its disk.";
      }
      if (connected.isEmpty()) {
        return "No provider here connects machines, as a gang needs it.";
      }
    }
    Optional<String> quota = shares.forbids(List.of(waiter));
    if (quota.isPresent()) {
      return quota.get();
    }
    if (there.gpusTotal() == 0) {
      return "No machine with " + model + " GPUs is ready to take it now.";
    }
    String free =
        there.gpusFree()
            + " of "
            + there.gpusTotal()
            + " "
            + model
            + (there.gpusTotal() == 1 ? " GPU is" : " GPUs are")
            + " free";
    if (ahead > 0) {
      return free
          + ", and "
          + ahead
          + (ahead == 1 ? " lease waits" : " leases wait")
          + " before it.";
    }
    if (there.largestFree() < waiter.want().gpuCount()) {
      return free
          + "; it needs "
          + waiter.want().gpuCount()
          + " on one machine"
          + start.filter(now::isBefore).map(at -> ", and there are none until " + at).orElse("")
          + ".";
    }
    return "It is about to be placed.";
  }

  private long present(Waiter waiter) {
    return line.stream()
        .filter(other ->
            other.gang().isPresent()
                && other.gang().get().name().equals(waiter.gang().orElseThrow().name())
                && other.project().equals(waiter.project()))
        .count();
  }

  /**
   * When it begins, if everybody runs to his end: those before it one after the other, as GPUs are
   * given back, and not before there is one machine that has enough.
   */
  private Optional<Instant> start(int ahead, QueueRules rules) {
    Waiter waiter = line.get(ahead);
    boolean incomplete = waiter.gang().isPresent() && present(waiter) < waiter.gang().get().size();
    boolean unknown = incomplete || shares.forbids(List.of(waiter)).isPresent();
    Optional<Instant> alone = unknown ? Optional.empty() : alone(waiter, rules);
    return alone.flatMap(soonest -> inTurn(ahead).map(at -> at.isAfter(soonest) ? at : soonest));
  }

  private Optional<Instant> alone(Waiter waiter, QueueRules rules) {
    Line trial =
        new Line(
            new FreeIndex(rooms),
            () -> releases,
            Shares.none(),
            connected,
            rules,
            now,
            Optional.of(waiter.id()));
    trial.serve(
        waiter.gang().isEmpty()
            ? List.of(waiter)
            : line.stream().filter(other -> other.gang().isPresent()).toList());
    return trial.starts().isEmpty() ? trial.headStart() : Optional.of(now);
  }

  private Optional<Instant> inTurn(int ahead) {
    PriorityQueue<Release> next = new PriorityQueue<>(Comparator.comparing(Release::at));
    next.addAll(releases);
    int free = there.gpusFree();
    Instant at = now;
    for (Waiter waiter : line.subList(0, ahead + 1)) {
      int count = waiter.want().gpuCount();
      while (free < count) {
        Release release = next.poll();
        if (release == null) {
          return Optional.empty();
        }
        free += release.gpus();
        at = release.at().isAfter(at) ? release.at() : at;
      }
      free -= count;
      Instant start = at;
      waiter
          .holds()
          .ifPresent(holds ->
              next.add(new Release(new FreeIndex.Machine("", ""), count, start.plus(holds))));
    }
    return Optional.of(at);
  }
}
