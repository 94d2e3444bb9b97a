package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.Inside.Said;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasUtilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an environment may use up, and that its neighbours do not notice. */
class LocalLimitsTest {

  private static final String HOG = "perl -e '$x = \"a\" x (300 * 1024 * 1024); print length $x'";
  private static final int PIDS = 60;

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private LocalProvider provider;

  @BeforeEach
  void open() {
    provider =
        Inside.open(
            folder, Map.of("driver", "runc", "memory-per-gpu-mib", "128", "pids-limit", "" + PIDS));
  }

  @AfterEach
  void close() {
    Inside.destroyAll(provider);
    provider.close();
  }

  @Test
  void whoTakesTooMuchMemoryIsKilled() {
    // A shell's child counts too; the environment itself and its neighbour live on.
    InstanceRef greedy = Inside.create(provider, 1);
    InstanceRef neighbour = Inside.create(provider, 2);

    assertThat(Inside.run(provider, greedy, HOG).exitCode()).isEqualTo(137);
    assertThat(provider.inspect(greedy)).get().isInstanceOf(InstanceStatus.Up.class);
    assertThat(Inside.run(provider, greedy, "echo well").output()).isEqualTo("well\n");
    assertThat(Inside.run(provider, neighbour, "echo well").output()).isEqualTo("well\n");
  }

  @Test
  void whatItsProcessorsDidIsKnown() {
    // What ended counts too, and only the environment's own; its simulated GPUs do nothing.
    InstanceRef busy = Inside.create(provider, 1);
    InstanceRef idle = Inside.create(provider, 2);
    Duration before = provider.utilization(busy).processorTime().orElseThrow();
    Inside.run(provider, busy, "i=0; while [ $i -lt 1000000 ]; do i=$((i + 1)); done");
    HasUtilization.Utilization after = provider.utilization(busy);
    Duration used = after.processorTime().orElseThrow().minus(before);
    Duration idleUsed = provider.utilization(idle).processorTime().orElseThrow();

    assertThat(used).isGreaterThan(Duration.ofMillis(200)).isGreaterThan(idleUsed);
    assertThat(after.milliCpus())
        .isBetween(1000, Runtime.getRuntime().availableProcessors() * 1000);
    assertThat(after.gpuPercent()).contains(0);
    provider.destroy(idle);
    assertThatThrownBy(() -> provider.utilization(idle))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void filesInMemoryCountAsMemory() {
    // The shared memory that training programs use is neither unlimited nor free.
    InstanceRef greedy = Inside.create(provider, 1);
    Said said = Inside.run(provider, greedy, "head -c 200000000 /dev/zero > /dev/shm/big");
    assertThat(said.exitCode()).isNotZero();
  }

  @Test
  void aForkBombIsHeldAndAShellStillOpens() {
    // With every process used up, a new shell starts and can end the bomb; neighbours live on.
    InstanceRef bombed = Inside.create(provider, 1);
    InstanceRef neighbour = Inside.create(provider, 2);
    ExecRequest bomb =
        new ExecRequest(
            List.of("bash", "-c", "b() { b | b & }; b; while :; do sleep 1; done"),
            Optional.empty(),
            Map.of());
    try (ExecChannel channel = provider.exec(bombed, bomb)) {
      Inside.eventually("the bomb has filled its room", () -> processes(bombed) >= PIDS - 2);
      for (int look = 0; look < 5; look++) {
        // Its own and the reserve's: no more, however long one looks.
        assertThat(processes(bombed)).isLessThanOrEqualTo(PIDS + 128);
      }
      assertThat(Inside.run(provider, neighbour, "echo well").output()).isEqualTo("well\n");
      Inside.eventually(
          "a shell opens and looks around",
          () -> Inside.run(provider, bombed, "ps x | grep -c bash").exitCode() == 0);
      assertThat(channel.output()).isNotNull();
    }
    provider.destroy(bombed);
    Inside.eventually("nothing is left", () -> Inside.traces(bombed.id()).isEmpty());
  }

  /** 0 when the look itself got no process: the bomb can be quicker while it still grows. */
  private int processes(InstanceRef instance) {
    String count = Inside.run(provider, instance, "ls -d /proc/[0-9]* | wc -l").output().strip();
    return count.isEmpty() ? 0 : Integer.parseInt(count);
  }

  @Test
  void aFolderDeeperThanAPathMayBeIsDeletedToo() {
    // A tenant can nest folders without end; nothing of them stays.
    InstanceRef deep = Inside.create(provider, 1);
    Said said =
        Inside.run(
            provider,
            deep,
            "perl -e 'for (1..3000) { mkdir \"folder\" or die; chdir \"folder\" or die }'");
    assertThat(said.exitCode()).isZero();

    provider.destroy(deep);
    assertThat(folder.resolve("environments").resolve(deep.id())).doesNotExist();
  }
}
