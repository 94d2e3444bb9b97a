package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No GPU with two holders, no second instance and no orphan beyond a sweep, each running second
 * charged once, exactly one end: under lost replies, late listings, stalls, crashes around every
 * call and write, stale writers, lost machines, expiry, and stops at any moment. {@code ./dev seed
 * N} replays one.
 */
@NullMarked
@Order(1)
class LeaseSimulationTest {

  private static final long FIRST_SEED = Long.getLong("simulation.first", 1);
  private static final long SEEDS = Long.getLong("simulation.seeds", 20_000);
  private static final long MUTATION_SEEDS = 3_000;

  @Test
  void promisesHoldUnderEverySeed() throws Exception {
    Optional<String> broken = firstBroken(FIRST_SEED, SEEDS, Mutation.NONE);
    broken.ifPresent(message -> fail(message));
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void plantedFaultIsFound(Mutation mutation) throws Exception {
    // Shows that the simulation can fail: each fault breaks a promise within some seeds.
    Optional<String> found = firstBroken(1, MUTATION_SEEDS, mutation);
    assertThat(found).as("found by some seed").isPresent();
    System.out.println(mutation + " found: " + found.get());
  }

  /** Replays one seed with a trace: {@code ./dev seed N}. */
  public static void main(String[] arguments) {
    long seed = Long.parseLong(arguments[0]);
    Mutation mutation = arguments.length > 1 ? Mutation.valueOf(arguments[1]) : Mutation.NONE;
    new Simulation(seed, mutation, System.out::println).run();
    System.out.println("seed " + seed + ": all promises held");
  }

  private static Optional<String> firstBroken(long first, long count, Mutation mutation)
      throws Exception {
    AtomicLong next = new AtomicLong(first);
    Callable<Optional<String>> lane =
        () -> {
          for (long seed = next.getAndIncrement();
              seed < first + count;
              seed = next.getAndIncrement()) {
            try {
              new Simulation(seed, mutation, what -> {}).run();
            } catch (Violation e) {
              next.set(first + count);
              return Optional.of(
                  "seed "
                      + seed
                      + ": "
                      + e.getMessage()
                      + "  (./dev seed "
                      + seed
                      + " replays it)");
            }
          }
          return Optional.empty();
        };
    try (ExecutorService lanes = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Optional<String>>> both = IntStream.range(0, 4).mapToObj(_ -> lane).toList();
      for (Future<Optional<String>> result : lanes.invokeAll(both)) {
        if (result.get().isPresent()) {
          return result.get();
        }
      }
    }
    return Optional.empty();
  }
}
