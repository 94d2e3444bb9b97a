package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.StepHook.Step;
import gpuaas.local.linux.Processes;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.ProviderException.Unavailable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The life of environments: who holds what, what outlives the server, and that nothing is left. */
class LocalProviderTest {

  private static final Map<String, String> SETTINGS = Map.of("driver", "runc");

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  /** The end of the server's process, as far as the work in hand can tell. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  @Test
  void nothingIsLeftOfADestroyedEnvironment() throws Exception {
    // No process, mount, control group or file, neither of it nor, at the end, of the provider.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      InstanceRef made = Inside.create(provider, 1);
      Inside.run(provider, made, "echo data > /root/file; sleep 1000 >/dev/null 2>&1 &");
      assertThat(Inside.traces(made.id())).isNotEmpty();

      provider.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
      try (Stream<Path> folders = Files.list(folder.resolve("environments"))) {
        assertThat(folders).isEmpty();
      }
    }
  }

  @Test
  void environmentsOutliveTheServerAndAreFoundAgain() {
    // The next process sees them up, reaches into them, and knows which GPUs they hold.
    InstanceRef made;
    try (LocalProvider first = Inside.open(folder, SETTINGS)) {
      made = first.create(Inside.request(first, 1, List.of("SIM-H200-3")));
      Inside.run(first, made, "echo kept > /root/file");
    }
    try (LocalProvider second = Inside.open(folder, SETTINGS)) {
      assertThat(second.inspect(made)).get().isInstanceOf(InstanceStatus.Up.class);
      assertThat(Inside.run(second, made, "cat /root/file").output()).isEqualTo("kept\n");
      assertThatThrownBy(() -> second.create(Inside.request(second, 2, List.of("SIM-H200-3"))))
          .isInstanceOf(NoCapacity.class);
      second.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    }
  }

  @ParameterizedTest
  @EnumSource(Step.class)
  void aCrashAtAnyStepLeavesWhatCanBeFoundAndDestroyed(Step last) {
    // Whatever was made by then, its tag is listed, and destroying takes all of it away.
    StepHook hook =
        step -> {
          if (step == last) {
            throw new Crash();
          }
        };
    try (LocalProvider doomed = Inside.open(folder, SETTINGS, hook)) {
      assertThatThrownBy(() -> Inside.create(doomed, 1)).isInstanceOf(Crash.class);
    }
    try (LocalProvider next = Inside.open(folder, SETTINGS)) {
      assertThat(next.list(Inside.DEPLOYMENT)).hasSize(1);
      InstanceRef left = next.list(Inside.DEPLOYMENT).getFirst().instance();
      assertThat(next.inspect(left)).isPresent();

      next.destroy(left);
      assertThat(next.inspect(left)).isEmpty();
      assertThat(next.list(Inside.DEPLOYMENT)).isEmpty();
      Inside.eventually("nothing is left", () -> Inside.traces(left.id()).isEmpty());
      assertThat(next.offers(OfferQuery.all()).getFirst().gpuCountMost()).isEqualTo(8);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Step.class, mode = EnumSource.Mode.EXCLUDE, names = "FOLDER")
  void whatWasInterruptedIsMadeByTheNextProcess(Step last) {
    // Nobody used it yet, so it is made from the beginning; one that was used is never made again.
    StepHook hook =
        step -> {
          if (step == last) {
            throw new Crash();
          }
        };
    try (LocalProvider doomed = Inside.open(folder, SETTINGS, hook)) {
      assertThatThrownBy(() -> Inside.create(doomed, 1)).isInstanceOf(Crash.class);
    }
    try (LocalProvider next = Inside.open(folder, SETTINGS)) {
      InstanceRef left = next.list(Inside.DEPLOYMENT).getFirst().instance();
      Inside.eventually(
          "it is up", () -> next.inspect(left).orElseThrow() instanceof InstanceStatus.Up);
      assertThat(Inside.run(next, left, "echo $GREETING").output()).isEqualTo("hello\n");
      next.destroy(left);
      Inside.eventually("nothing is left", () -> Inside.traces(left.id()).isEmpty());
    }
  }

  @ParameterizedTest
  @EnumSource(Step.class)
  void aFailureAtAnyStepIsUndoneAtOnce(Step last) {
    // The caller may conclude that nothing happened, and it is so; the GPU is free again.
    StepHook hook =
        step -> {
          if (step == last) {
            throw new IllegalStateException("failed after " + step);
          }
        };
    try (LocalProvider provider = Inside.open(folder, SETTINGS, hook)) {
      assertThatThrownBy(() -> Inside.create(provider, 1)).isInstanceOf(Unavailable.class);
      assertThat(provider.list(Inside.DEPLOYMENT)).isEmpty();
      assertThat(provider.offers(OfferQuery.all()).getFirst().gpuCountMost()).isEqualTo(8);
    }
  }

  @Test
  void aGpuHasOneHolder() throws Exception {
    // Of many that want the same GPU at the same time, exactly one gets it.
    try (LocalProvider provider = Inside.open(folder, SETTINGS);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Integer> one = () -> tryToTake(provider, 1);
      Callable<Integer> two = () -> tryToTake(provider, 2);
      Callable<Integer> three = () -> tryToTake(provider, 3);
      int taken = 0;
      for (var result : threads.invokeAll(List.of(one, two, three))) {
        taken += result.get();
      }
      assertThat(taken).isEqualTo(1);
      assertThat(provider.list(Inside.DEPLOYMENT)).hasSize(1);
      Inside.destroyAll(provider);
    }
  }

  private static int tryToTake(LocalProvider provider, int number) {
    try {
      provider.create(Inside.request(provider, number, List.of("SIM-H200-0")));
      return 1;
    } catch (NoCapacity held) {
      return 0;
    }
  }

  @Test
  void gpusRunOut() {
    // The offer stands, for others may come back; a request that comes meanwhile is told so.
    try (LocalProvider provider =
        Inside.open(folder, Map.of("driver", "runc", "gpus", "1xT4", "cpu-places", "0"))) {
      var request = Inside.request(provider, 2, List.of());
      Inside.create(provider, 1);

      assertThat(provider.offers(OfferQuery.all())).hasSize(1);
      assertThatThrownBy(() -> provider.create(request)).isInstanceOf(NoCapacity.class);
      Inside.destroyAll(provider);
      assertThat(provider.create(request)).isNotNull();
      Inside.destroyAll(provider);
    }
  }

  @Test
  void anEnvironmentWhoseProcessesDiedHasFailed() {
    // After a restart of the machine there are folders without processes: said, and cleaned up.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      InstanceRef made = Inside.create(provider, 1);
      long first = firstProcess(made.id());
      ProcessHandle.of(first).orElseThrow().destroyForcibly();

      Inside.eventually(
          "it is seen",
          () -> provider.inspect(made).orElseThrow() instanceof InstanceStatus.Failed);
      provider.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    }
  }

  private static long firstProcess(String id) {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains("gpuaas-init"))
        .filter(process -> Processes.isInCgroup(process.pid(), id))
        .findFirst()
        .orElseThrow()
        .pid();
  }

  @Test
  void twoServersDoNotShareADataFolder() {
    // The second is told so instead of taking the first one's environments.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      assertThat(provider.nodes()).hasSize(1);
      assertThatThrownBy(() -> Inside.open(folder, SETTINGS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("in use by another server");
    }
  }

  @Test
  void aDriverDoesNotTakeUpWhatAnotherOneMade() {
    // It could neither see nor end those; the message says which driver to set.
    try (LocalProvider first = Inside.open(folder, SETTINGS)) {
      Inside.create(first, 1);
    }
    assertThatThrownBy(() -> Inside.open(folder, Map.of("driver", "bubblewrap")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("driver=runc");
    try (LocalProvider again = Inside.open(folder, SETTINGS)) {
      Inside.destroyAll(again);
      assertThat(again.list(Inside.DEPLOYMENT)).isEmpty();
    }
  }

  @Test
  void hostileRequestsAreRejected() {
    // Names that could become options, paths or lines of files are refused before anything is made.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      var good = Inside.request(provider, 1, List.of());
      for (String hostName : List.of("", "-x", "a b", "a\nb", "../x", "UP")) {
        var bad =
            new InstanceRequest(
                good.tag(), good.offer(), "", List.of(), "", List.of(), Map.of(), hostName);
        assertThatThrownBy(() -> provider.create(bad)).isInstanceOf(Rejected.class);
      }
      for (String image : List.of("../../etc", "/etc", "None", "a b")) {
        var bad =
            new InstanceRequest(
                good.tag(), good.offer(), "", List.of(), image, List.of(), Map.of(), "fine");
        assertThatThrownBy(() -> provider.create(bad)).isInstanceOf(Rejected.class);
      }
      assertThat(provider.inspect(new InstanceRef("local", "../../etc"))).isEmpty();
      provider.destroy(new InstanceRef("local", "../.."));
      assertThat(provider.list(Inside.DEPLOYMENT)).isEmpty();
    }
  }
}
