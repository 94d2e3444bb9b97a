package gpuaas.queue;

import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.Room;
import gpuaas.catalog.Gang;
import gpuaas.catalog.Want;
import gpuaas.queue.Horizon.Release;
import gpuaas.queue.Line.Start;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;

/** Some machines in simulated time, on which leases run for exactly their term. */
final class Yard {

  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  static final QueueRules RULES =
      new QueueRules(Duration.ofMinutes(10), 64, 29_500, Duration.ZERO, 500);
  static final UUID OWNER = new UUID(0, 2);

  private final Offer offer;
  private final int nodes;
  private final int gpus;
  private final Map<String, Waiter> holders = new HashMap<>();
  private final TreeMap<Instant, List<String>> ends = new TreeMap<>();
  final Map<UUID, Instant> started = new HashMap<>();
  final List<Waiter> waiting = new ArrayList<>();
  Instant now = START;

  Yard(int nodes, int gpus) {
    this.nodes = nodes;
    this.gpus = gpus;
    this.offer =
        new SimProvider("sim", new TestClock(), SimScript::prompt, nodes, gpus)
            .offers(OfferQuery.all())
            .getFirst();
  }

  static Waiter waiter(int id, int count, Optional<Duration> term, Optional<Gang> gang) {
    return new Waiter(
        new UUID(1, id),
        OWNER,
        OWNER,
        new Want("", SimProvider.GPU.model(), count, Optional.empty(), Tier.ON_DEMAND),
        2_000_000,
        START.plusSeconds(id),
        term,
        0,
        gang);
  }

  List<Room> rooms() {
    return IntStream.range(0, nodes)
        .mapToObj(node ->
            new Room(
                offer,
                "node-" + node,
                IntStream.range(0, gpus)
                    .mapToObj(gpu -> node + "/" + gpu)
                    .filter(gpu -> !holders.containsKey(gpu))
                    .toList()))
        .toList();
  }

  private List<Release> releases() {
    List<Release> releases = new ArrayList<>();
    ends.forEach((at, gone) ->
        gone.forEach(gpu ->
            releases.add(
                new Release(
                    new FreeIndex.Machine(offer.provider(), "node-" + gpu.split("/", 2)[0]),
                    1,
                    at))));
    return releases;
  }

  Line line() {
    return new Line(
        new FreeIndex(rooms()),
        this::releases,
        Set.of(offer.provider()),
        RULES,
        now,
        Optional.empty());
  }

  /** One look at the line; who begins holds what he got. */
  List<Start> look() {
    Line line = line();
    line.serve(List.copyOf(waiting));
    line.starts().forEach(this::begin);
    return line.starts();
  }

  private void begin(Start start) {
    Set<String> free = new HashSet<>();
    rooms().forEach(room -> free.addAll(room.freeGpuIds()));
    if (start.choice().gpuIds().size() != start.waiter().want().gpuCount()
        || !free.containsAll(start.choice().gpuIds())) {
      throw new AssertionError("got what is not free: " + start);
    }
    start.choice().gpuIds().forEach(gpu -> holders.put(gpu, start.waiter()));
    start
        .waiter()
        .holds()
        .ifPresent(term ->
            ends.computeIfAbsent(now.plus(term), _ -> new ArrayList<>())
                .addAll(start.choice().gpuIds()));
    started.put(start.waiter().id(), now);
    waiting.remove(start.waiter());
  }

  /** On to the next moment at which somebody ends; false: there is none. */
  boolean next() {
    if (ends.isEmpty()) {
      return false;
    }
    Map.Entry<Instant, List<String>> first = ends.pollFirstEntry();
    now = first.getKey();
    first.getValue().forEach(holders::remove);
    return true;
  }

  /** The same machines, with the same holders, and those who wait. */
  Yard copy(List<Waiter> waiters) {
    Yard copy = new Yard(nodes, gpus);
    copy.holders.putAll(holders);
    ends.forEach((at, gone) -> copy.ends.put(at, new ArrayList<>(gone)));
    copy.now = now;
    copy.waiting.addAll(waiters);
    return copy;
  }
}
