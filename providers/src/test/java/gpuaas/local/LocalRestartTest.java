package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.StepHook.Step;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException.NoCapacity;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Environments that are started anew: what stays, what goes, and what a crash in between does. */
class LocalRestartTest {

  private static final Map<String, String> SETTINGS = Map.of("driver", "runc");

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  /** The end of the server's process, as far as the work in hand can tell. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  @Test
  void filesAndGpusStayAndProcessesGo() {
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      InstanceRef made = provider.create(Inside.request(provider, 1, List.of("SIM-H200-3")));
      Inside.run(provider, made, "echo kept > /root/file; sleep 4321 >/dev/null 2>&1 &");
      provider.restart(made, 1);
      assertThat(provider.inspect(made)).get().isInstanceOf(InstanceStatus.Up.class);
      assertThat(Inside.run(provider, made, "cat /root/file; echo $GREETING; hostname").output())
          .isEqualTo("kept\nhello\nenv-1\n");
      assertThat(Inside.run(provider, made, "cat /proc/[0-9]*/cmdline").output())
          .doesNotContain("4321");
      assertThatThrownBy(() -> provider.create(Inside.request(provider, 2, List.of("SIM-H200-3"))))
          .isInstanceOf(NoCapacity.class);
      provider.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    }
  }

  @Test
  void eachNumberIsDoneOnceByWhateverProcess() {
    InstanceRef made;
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      made = Inside.create(provider, 1);
      provider.restart(made, 1);
      Inside.run(provider, made, "sleep 4321 >/dev/null 2>&1 &");
      provider.restart(made, 1);
      assertThat(isSleeping(provider, made)).isTrue();
    }
    try (LocalProvider next = Inside.open(folder, SETTINGS)) {
      next.restart(made, 1);
      assertThat(isSleeping(next, made)).isTrue();
      next.restart(made, 2);
      assertThat(isSleeping(next, made)).isFalse();
      next.destroy(made);
      next.restart(made, 3); // nothing is there to be restarted, which is no failure
      assertThat(next.inspect(made)).isEmpty();
    }
  }

  private static boolean isSleeping(LocalProvider provider, InstanceRef made) {
    return Inside.run(provider, made, "cat /proc/[0-9]*/cmdline").output().contains("4321");
  }

  @ParameterizedTest
  @EnumSource(
      value = Step.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FOLDER", "STATE"})
  void aCrashAtAnyStepIsFinishedByTheNextProcessAndNoFileIsLost(Step last) {
    AtomicBoolean armed = new AtomicBoolean();
    StepHook hook =
        step -> {
          if (armed.get() && step == last) {
            throw new Crash();
          }
        };
    InstanceRef made;
    try (LocalProvider doomed = Inside.open(folder, SETTINGS, hook)) {
      made = Inside.create(doomed, 1);
      Inside.run(doomed, made, "echo kept > /root/file");
      armed.set(true);
      assertThatThrownBy(() -> doomed.restart(made, 1)).isInstanceOf(Crash.class);
    }
    try (LocalProvider next = Inside.open(folder, SETTINGS)) {
      next.restart(made, 1);
      assertThat(next.inspect(made)).get().isInstanceOf(InstanceStatus.Up.class);
      assertThat(Inside.run(next, made, "cat /root/file").output()).isEqualTo("kept\n");
      next.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    }
  }
}
