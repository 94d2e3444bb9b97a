package gpuaas.local.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.image.registry.PullFailed.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the programs that fetch and unpack are held to. */
class WatchedProcessTest {

  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(700);

  @TempDir private Path folder;

  private final Set<Process> running = ConcurrentHashMap.newKeySet();

  private WatchedProcess.Said run(String script, Duration all, Duration stall, long bytes)
      throws Exception {
    List<String> command =
        List.of("/bin/sh", "-c", "cd \"$1\"; " + script, "sh", folder.toString());
    return new WatchedProcess(running, folder, Deadline.in(all), stall, bytes)
        .run(new ProcessBuilder(command), _ -> {});
  }

  private void fails(Reason reason, String script, Duration all, Duration stall, long bytes) {
    assertThatThrownBy(() -> run(script, all, stall, bytes))
        .isInstanceOfSatisfying(
            PullFailed.class, failure -> assertThat(failure.reason()).isEqualTo(reason));
    assertThat(running).isEmpty();
  }

  @Test
  void whatKeepsTheRulesEnds() throws Exception {
    // Its code and its words come back.
    WatchedProcess.Said said = run("echo out; echo err >&2; exit 3", LONG, LONG, 1000);
    assertThat(said).isEqualTo(new WatchedProcess.Said(3, "out\n", "err\n"));
    assertThat(running).isEmpty();
  }

  @Test
  void whatGrowsTooLargeIsEnded() {
    // A bomb that would fill the disk is stopped while it goes off, and when it was quick.
    String bomb = "while :; do head -c 100000 /dev/zero >> bomb; done";
    fails(Reason.TOO_LARGE, bomb, LONG, LONG, 1_000_000);
    fails(Reason.TOO_LARGE, "head -c 2000000 /dev/zero > quick", LONG, LONG, 1_000_000);
  }

  @Test
  void whatStandsStillIsEnded() {
    // Talking is not moving; what is awaited comes in the folder.
    fails(Reason.STALLED, "while :; do echo busy; sleep 0.1; done", LONG, SHORT, 1000);
  }

  @Test
  void whatTakesTooLongIsEnded() {
    // Even when it moves all the time.
    fails(Reason.TIMEOUT, "while :; do : > a; sleep 0.1; rm a; done", SHORT, LONG, 1000);
  }
}
