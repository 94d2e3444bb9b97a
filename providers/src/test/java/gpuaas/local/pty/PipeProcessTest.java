package gpuaas.local.pty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PipeProcessTest {

  private static final Map<String, String> ENVIRONMENT = Map.of("PATH", "/usr/bin:/bin");

  private static PipeProcess script(String script) {
    return PipeProcess.start(List.of("bash", "--norc", "-c", script), ENVIRONMENT);
  }

  private static String text(InputStream stream) throws IOException {
    return new String(stream.readAllBytes(), UTF_8);
  }

  @Test
  void threeStreamsAndACode() throws Exception {
    // Shows that output and errors are apart, and that the exit code comes back.
    try (PipeProcess process = script("echo out; echo err >&2; exit 9")) {
      assertThat(text(process.output())).isEqualTo("out\n");
      assertThat(text(process.error())).isEqualTo("err\n");
      assertThat(process.waitFor()).isEqualTo(9);
    }
  }

  @Test
  void closedInputIsTheEnd() throws Exception {
    // Shows that 100 MB go through a process in both directions at once, and end with the input.
    try (var threads = Executors.newVirtualThreadPerTaskExecutor();
        PipeProcess process = PipeProcess.start(List.of("cat"), ENVIRONMENT)) {
      byte[] part = "0123456789abcdef".repeat(4096).getBytes(UTF_8);
      Future<Void> writer =
          threads.submit(
              (Callable<Void>)
                  () -> {
                    try (OutputStream input = process.input()) {
                      for (int i = 0; i < 1600; i++) {
                        input.write(part);
                      }
                    }
                    return null;
                  });
      long seen = 0;
      byte[] buffer = new byte[part.length];
      InputStream output = process.output();
      for (int count; (count = output.readNBytes(buffer, 0, buffer.length)) > 0; seen += count) {
        assertThat(buffer).isEqualTo(part);
      }
      assertThat(seen).isEqualTo(1600L * part.length);
      assertThat(writer.get()).isNull();
      assertThat(process.waitFor()).isZero();
    }
  }

  @Test
  void onlyTheGivenEnvironment() throws Exception {
    // Shows that nothing of the server's own variables reaches a command.
    try (PipeProcess process =
        PipeProcess.start(List.of("/usr/bin/env"), Map.of("ONE", "1", "BAD=NAME", "x"))) {
      assertThat(text(process.output())).isEqualTo("ONE=1\n");
    }
  }

  @Test
  void signalsReachTheWholeGroup() throws Exception {
    // Shows that a signal ends a pipeline, children included, and is seen in the code.
    try (PipeProcess process = script("sleep 62 | sleep 62")) {
      Running.eventually(2, "/usr/bin/sleep 62");
      process.signal("TERM");
      assertThat(process.waitFor()).isEqualTo(143);
      assertThat(text(process.output())).isEmpty();
    }
  }

  @Test
  void closeEndsTheProcess() throws Exception {
    // Shows that close ends a process that would wait for ever.
    PipeProcess process = PipeProcess.start(List.of("sleep", "60"), ENVIRONMENT);
    process.close();
    assertThat(process.waitFor()).isGreaterThan(128);
    assertThat(process.output().read()).isEqualTo(-1);
  }

  @Test
  void writingToTheDeadFails() throws Exception {
    // Shows that a writer learns that the process reads no more.
    try (PipeProcess process = PipeProcess.start(List.of("true"), ENVIRONMENT)) {
      process.waitFor();
      assertThatThrownBy(() -> process.input().write(1)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aMissingCommand() throws Exception {
    // Shows that a command that does not exist says so and ends with 127.
    try (PipeProcess process = PipeProcess.start(List.of("no-such-command"), ENVIRONMENT)) {
      assertThat(text(process.error())).contains("no-such-command");
      assertThat(process.waitFor()).isEqualTo(127);
    }
    assertThatThrownBy(() -> PipeProcess.start(List.of(), ENVIRONMENT))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void manyIdlePipesHoldNoThread() throws Exception {
    // Shows that reads that wait in 50 pipes leave the virtual threads' carriers free.
    List<PipeProcess> processes = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        PipeProcess process = PipeProcess.start(List.of("sleep", "60"), ENVIRONMENT);
        processes.add(process);
        var _ = threads.submit(() -> process.output().read());
      }
      assertThat(threads.submit(() -> "free").get(10, TimeUnit.SECONDS)).isEqualTo("free");
      processes.forEach(PipeProcess::close);
    }
  }
}
