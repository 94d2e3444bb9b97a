package gpuaas.queue;

import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.Room;
import gpuaas.catalog.Gang;
import gpuaas.catalog.Want;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Placements a second on one core, in memory, with all that a line has to know beforehand. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class PlacementBench {

  private static final int LARGE = 32_000;
  private static final int SCATTERED = 500;
  private static final int GANGS = 100;
  private static final int MEMBERS = 8;
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final UUID OWNER = new UUID(0, 2);

  private final List<Room> thousandOfThirtyTwo = rooms(1_000, 32, 1);
  private final List<Waiter> oneEach = waiters(LARGE);
  private final List<Room> nearlyFull = rooms(10_000, 8, 10_000 / SCATTERED);
  private final List<Waiter> few = waiters(SCATTERED);
  private final List<Room> thousandOfEight = rooms(1_000, 8, 1);
  private final List<Waiter> gangs = gangs();

  /** All of a machine is free; or of every so many one GPU. */
  private static List<Room> rooms(int nodes, int gpus, int every) {
    Offer offer =
        new SimProvider("sim", new TestClock(), SimScript::prompt, nodes, gpus)
            .offers(OfferQuery.all())
            .getFirst();
    return IntStream.range(0, nodes)
        .mapToObj(node -> {
          int free = every == 1 ? gpus : node % every == 0 ? 1 : 0;
          return new Room(
              offer,
              "node-" + node,
              IntStream.range(0, free).mapToObj(gpu -> node + "-gpu-" + gpu).toList());
        })
        .toList();
  }

  private static Waiter waiter(int id, int count, Optional<Gang> gang) {
    return new Waiter(
        new UUID(1, id),
        OWNER,
        OWNER,
        new Want("", SimProvider.GPU.model(), count, Optional.empty(), Tier.ON_DEMAND),
        2_000_000,
        NOW,
        Optional.empty(),
        0,
        gang);
  }

  private static List<Waiter> waiters(int number) {
    return IntStream.range(0, number).mapToObj(id -> waiter(id, 1, Optional.empty())).toList();
  }

  private static List<Waiter> gangs() {
    return IntStream.range(0, GANGS * MEMBERS)
        .mapToObj(id ->
            waiter(id, 8, Optional.of(new Gang("gang-" + id / MEMBERS, id % MEMBERS, MEMBERS))))
        .toList();
  }

  private static int serve(List<Room> rooms, List<Waiter> waiters) {
    Line line =
        new Line(
            new FreeIndex(rooms),
            List::of,
            Shares.none(),
            Set.of("sim"),
            QueueRules.standard(),
            NOW,
            Optional.empty());
    line.serve(waiters);
    int placed = line.starts().size();
    if (placed != waiters.size()) {
      throw new IllegalStateException(placed + " of " + waiters.size());
    }
    return placed;
  }

  /** 32,000 that want one GPU, on 1,000 machines of 32. */
  @Benchmark
  @OperationsPerInvocation(LARGE)
  public int oneGpuEach() {
    return serve(thousandOfThirtyTwo, oneEach);
  }

  /** 500 that want one GPU, on 10,000 machines of 8 of which every twentieth has one left. */
  @Benchmark
  @OperationsPerInvocation(SCATTERED)
  public int nearlyFull() {
    return serve(nearlyFull, few);
  }

  /** 100 gangs of eight that want eight GPUs each, on 1,000 machines of 8; counted by member. */
  @Benchmark
  @OperationsPerInvocation(GANGS * MEMBERS)
  public int gangsOfEightTimesEight() {
    return serve(thousandOfEight, gangs);
  }
}
