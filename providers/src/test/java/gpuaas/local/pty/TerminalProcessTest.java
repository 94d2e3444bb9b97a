package gpuaas.local.pty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.Eventually;
import gpuaas.spi.ExecRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TerminalProcessTest {

  private static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C.UTF-8", "PS1", "$ ");
  private static final ExecRequest.Terminal TERMINAL =
      new ExecRequest.Terminal("xterm-256color", 132, 40);

  private static TerminalProcess start(String... command) {
    return TerminalProcess.start(List.of(command), ENVIRONMENT, TERMINAL);
  }

  private static TerminalProcess script(String script) {
    return start("bash", "--norc", "-c", script);
  }

  private static String everything(TerminalProcess process) throws IOException {
    return new String(process.output().readAllBytes(), UTF_8);
  }

  /** Reads until the text is seen; what was read. */
  private static String until(TerminalProcess process, String text) throws IOException {
    StringBuilder seen = new StringBuilder();
    byte[] buffer = new byte[1000];
    while (seen.indexOf(text) < 0) {
      int count = process.output().read(buffer);
      if (count < 0) {
        throw new AssertionError("ended before '" + text + "' with '" + seen + "'");
      }
      seen.append(new String(buffer, 0, count, UTF_8));
    }
    return seen.toString();
  }

  private static void type(TerminalProcess process, String text) throws IOException {
    process.input().write(text.getBytes(UTF_8));
    process.input().flush();
  }

  @Test
  void aRealTerminal() throws Exception {
    // Shows that all three streams are a terminal of the given kind and size, owned by the command.
    try (TerminalProcess process =
        script(
            "test -t 0 && test -t 1 && test -t 2 && tty && : </dev/tty && echo owned; stty size;"
                + " echo $TERM")) {
      assertThat(everything(process)).contains("/dev/pts/", "owned", "40 132", "xterm-256color");
      assertThat(process.waitFor()).isZero();
      assertThat(process.error().read()).isEqualTo(-1);
    }
  }

  @Test
  void followsItsSize() throws Exception {
    // Shows that a resize reaches the process as a signal and a new size.
    try (TerminalProcess process =
        script("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done")) {
      until(process, "ready");
      process.resize(100, 50);
      assertThat(everything(process)).contains("50 100");
    }
  }

  @Test
  void sizesOutOfRangeAreCut() throws Exception {
    // Shows that no size can fail or wrap around.
    try (TerminalProcess process = script("read line; stty size")) {
      process.resize(-5, Integer.MAX_VALUE);
      type(process, "\n");
      assertThat(everything(process)).contains("65535 0");
    }
  }

  @Test
  void controlCInterruptsTheForeground() throws Exception {
    // Shows that Ctrl-C ends the foreground command only: the shell lives on and reports 130.
    try (TerminalProcess process = start("bash", "--norc", "-i")) {
      type(process, "sleep 63\n");
      until(process, "sleep 63");
      Running.eventually(1, "/usr/bin/sleep 63"); // before, the shell would get it
      process.signal("INT");
      until(process, "$ "); // the shell throws away what is typed before its prompt
      type(process, "echo code=$?\n");
      until(process, "code=130");
      type(process, "exit 7\n");
      assertThat(process.waitFor()).isEqualTo(7);
    }
  }

  @Test
  void otherSignalsGoToTheCommand() throws Exception {
    // Shows that TERM ends the command with 128 + 15, and that an unknown signal does nothing.
    try (TerminalProcess process = start("sleep", "60")) {
      process.signal("NONSENSE");
      process.signal("TERM");
      assertThat(process.waitFor()).isEqualTo(143);
    }
  }

  @Test
  void jobControl() throws Exception {
    // Shows that a job can be stopped with Ctrl-Z, listed and brought back.
    try (TerminalProcess process = start("bash", "--norc", "-i")) {
      type(process, "cat -u -\n");
      Running.eventually(1, "/usr/bin/cat -u -"); // before, the shell would get what is typed
      type(process, "hello\n");
      until(process, "hello\r\nhello"); // the echo, and what cat says
      process.signal("TSTP");
      until(process, "Stopped");
      type(process, "jobs\n");
      until(process, "[1]+");
      type(process, "fg\n");
      until(process, "cat");
      type(process, "again\n");
      until(process, "again\r\nagain");
      process.signal("INT");
      until(process, "$ ");
      type(process, "exit 5\n");
      assertThat(process.waitFor()).isEqualTo(5);
    }
  }

  @Test
  void closedInputEndsTheShell() throws Exception {
    // Shows that closing the input, even within a line, tells the process that nothing more comes.
    try (TerminalProcess process = start("cat")) {
      type(process, "half a line");
      process.input().close();
      assertThat(everything(process)).contains("half a linehalf a line");
      assertThat(process.waitFor()).isZero();
    }
  }

  @Test
  void exitCodes() throws Exception {
    // Shows plain codes, and 127 with a message for a command that does not exist.
    try (TerminalProcess process = script("exit 41")) {
      assertThat(process.waitFor()).isEqualTo(41);
    }
    try (TerminalProcess process = start("no-such-command")) {
      assertThat(everything(process)).contains("no-such-command").contains("not found");
      assertThat(process.waitFor()).isEqualTo(127);
    }
  }

  @Test
  void signalsAreNotIgnored() throws Exception {
    // Shows that a command starts with no signal ignored, whatever the server was started with.
    try (TerminalProcess process = start("grep", "SigIgn", "/proc/self/status")) {
      long ignored = Long.parseLong(everything(process).replace("SigIgn:", "").strip(), 16);
      assertThat(ignored & 0x7fffffff).isZero(); // 32 and 33 belong to the C library
    }
  }

  @Test
  void aLot() throws Exception {
    // Shows that 5 MB come out whole, and that 5 MB go in whole.
    try (TerminalProcess process = script("stty raw; head -c 5000000 /dev/zero | tr '\\0' x")) {
      assertThat(everything(process)).hasSize(5_000_000).matches("x*");
    }
    try (TerminalProcess process = script("stty raw -echo; echo ready; head -c 5000000 | md5sum")) {
      until(process, "ready");
      for (int i = 0; i < 500; i++) {
        type(process, "y".repeat(10_000));
      }
      assertThat(everything(process)).contains(md5("y".repeat(5_000_000)));
    }
  }

  private static String md5(String text) throws Exception {
    Path file = Files.createTempFile("md5", "");
    Files.writeString(file, text);
    try (PipeProcess process = PipeProcess.start(List.of("md5sum", file.toString()), Map.of())) {
      return new String(process.output().readAllBytes(), UTF_8).substring(0, 32);
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void characters() throws Exception {
    // Shows that UTF-8 passes in both directions.
    try (TerminalProcess process = script("read line; echo \"<$line>\"")) {
      type(process, "żółć 東京 🚀\n");
      assertThat(everything(process)).contains("<żółć 東京 🚀>");
    }
  }

  @Test
  void closeEndsEverything() throws Exception {
    // Shows that close ends also a command that ignores the hang-up, and what it started.
    TerminalProcess process = script("trap '' HUP; sleep 61 & echo ready; wait; sleep 61");
    until(process, "ready");
    process.close();
    process.close();
    assertThat(process.waitFor()).isEqualTo(137);
    Running.eventually(0, "/usr/bin/sleep 61");
  }

  @Test
  void closeWakesReadersAndWriters() throws Exception {
    // Shows that threads that wait in a terminal come back when it is closed.
    TerminalProcess process = script("stty raw -echo; echo ready; sleep 60");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      until(process, "ready");
      Future<Integer> reader = threads.submit(() -> process.output().read());
      Future<?> writer =
          threads.submit(
              (Callable<Void>)
                  () -> {
                    while (true) { // nobody reads: it must get stuck soon
                      type(process, "z".repeat(10_000));
                    }
                  });
      process.close();
      assertThat(reader.get(10, TimeUnit.SECONDS)).isEqualTo(-1);
      assertThat(writer)
          .failsWithin(10, TimeUnit.SECONDS)
          .withThrowableOfType(ExecutionException.class)
          .withCauseInstanceOf(IOException.class);
    }
  }

  @Test
  void manyIdleTerminalsHoldNoThread() throws Exception {
    // Shows that reads that wait in 50 terminals leave the virtual threads' carriers free.
    List<TerminalProcess> processes = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        TerminalProcess process = start("sleep", "60");
        processes.add(process);
        var _ = threads.submit(() -> process.output().read());
      }
      assertThat(threads.submit(() -> "free").get(10, TimeUnit.SECONDS)).isEqualTo("free");
      processes.forEach(TerminalProcess::close);
    }
  }

  @Test
  void nothingLeaks() throws Exception {
    // Shows that 200 terminals and 200 pipes, opened and closed, leave no descriptor behind.
    cycle(20);
    long before = open();
    cycle(200);
    Eventually.within(
        Duration.ofSeconds(10), "as many descriptors as before", () -> open() <= before);
  }

  private static void cycle(int times) throws Exception {
    for (int i = 0; i < times; i++) {
      try (TerminalProcess terminal = start("true");
          PipeProcess pipe = PipeProcess.start(List.of("true"), ENVIRONMENT)) {
        if (i % 2 == 0) { // also those that are closed at once
          assertThat(terminal.waitFor()).isZero();
          assertThat(pipe.waitFor()).isZero();
        }
      }
    }
  }

  private static long open() {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
