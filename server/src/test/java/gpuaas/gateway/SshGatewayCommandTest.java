package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.pty.TerminalProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SshGatewayCommandTest {

  @TempDir Path folder;
  private Lab lab;

  @BeforeEach
  void start() throws Exception {
    lab = new Lab(folder, settings -> settings);
  }

  @AfterEach
  void stop() {
    lab.close();
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(3).nextBytes(bytes);
    return bytes;
  }

  @Test
  void outputErrorsAndCodes() throws Exception {
    // Shows that output and errors come apart, that the code comes back, in the user's shell.
    Lab.Ran ran = lab.run("echo out; echo err >&2; [[ 1 == 1 ]] && exit 7");
    assertThat(ran.text()).isEqualTo("out\n");
    assertThat(ran.error()).isEqualTo("err\n");
    assertThat(ran.code()).isEqualTo(7);
    assertThat(lab.run("kill -TERM $$").code()).isEqualTo(143);
    assertThat(lab.run("no-such-command").code()).isEqualTo(127);
    assertThat(lab.run("pwd").text().strip()).isEqualTo(lab.home.toRealPath().toString());
  }

  @Test
  void aShellWithoutATerminal() throws Exception {
    // Shows that a script can be fed to the log-in shell, as editors do.
    Lab.Ran ran = lab.run("echo $((6*7)); exit 3\n".getBytes(UTF_8), lab.ssh("-T"));
    assertThat(ran.text()).isEqualTo("42\n");
    assertThat(ran.code()).isEqualTo(3);
  }

  @Test
  void onlyLanguageVariables() throws Exception {
    // Shows that the language is passed on, and that a variable that could do harm is not.
    List<String> command =
        new ArrayList<>(List.of("env", "LC_TIME=xx", "LD_PRELOAD_X=1", "BASH_ENV=/tmp/x", "ssh"));
    command.addAll(lab.options("key"));
    command.addAll(List.of("-o", "SendEnv=LC_* LD_PRELOAD_X BASH_ENV"));
    command.addAll(List.of("-p", "" + lab.gateway.port(), "alias@127.0.0.1", "env"));
    assertThat(lab.run(new byte[0], command).fine().text())
        .contains("LC_TIME=xx", "HOSTNAME=gpu-1")
        .doesNotContain("LD_PRELOAD_X", "BASH_ENV");
  }

  @Test
  void endsOfInput() throws Exception {
    // Shows that the end of the client's input reaches the command while its output goes on, and
    // that 20 MB arrive unchanged in both directions.
    byte[] bytes = random(20_000_000);
    assertThat(lab.run(bytes, lab.ssh("cat > x")).fine().output()).isEmpty();
    assertThat(Files.readAllBytes(lab.home.resolve("x"))).isEqualTo(bytes);
    assertThat(lab.run("cat x").fine().output()).isEqualTo(bytes);
    assertThat(lab.run(bytes, lab.ssh("cat")).fine().output()).isEqualTo(bytes);
    assertThat(lab.run("b\na\n".repeat(100_000).getBytes(UTF_8), lab.ssh("sort | head -1")).text())
        .isEqualTo("a\n");
  }

  @Test
  void aCommandThatDoesNotRead() throws Exception {
    // Shows that input that nobody wants holds nothing up.
    Lab.Ran ran = lab.run(random(10_000_000), lab.ssh("exec 0<&-; sleep 0.3; echo done; exit 4"));
    assertThat(ran.text()).isEqualTo("done\n");
    assertThat(ran.code()).isEqualTo(4);
  }

  @Test
  void archives() throws Exception {
    // Shows that tar through two connections gives the same tree.
    lab.run("mkdir -p a/b && echo 1 > a/b/c && ln -s b a/d").fine();
    byte[] archive = lab.run("tar c a").fine().output();
    lab.run(archive, lab.ssh("mkdir n && tar x -C n")).fine();
    assertThat(lab.run("diff -r a n/a && readlink n/a/d").fine().text()).isEqualTo("b\n");
  }

  @Test
  void aPersonAtATerminal() throws Exception {
    // Shows a real terminal: kind, size, a resize that is followed, Ctrl-C, and the exit code.
    try (TerminalProcess person = Lab.person(lab.ssh("-tt"))) {
      Screen screen = new Screen(person);
      screen.type("until [ \"$(stty size)\" = '40 132' ]; do sleep 0.02; done; echo kind=$TERM\n");
      screen.until("kind=xterm-256color");
      person.resize(100, 50);
      screen.type("until [ \"$(stty size)\" = '50 100' ]; do sleep 0.02; done; echo seen=$?\n");
      screen.until("seen=0");
      screen.type("echo re''ady; cat\n");
      screen.until("ready\r\n");
      screen.type("hello\n");
      screen.until("hello\r\nhello"); // what is typed, and what cat says
      screen.type("\u0003");
      screen.until("$ "); // the shell throws away what is typed before its prompt
      screen.type("echo code=$?\n");
      screen.until("code=130");
      screen.type("exit 9\n");
      assertThat(person.waitFor()).isEqualTo(9);
    }
  }

  @Test
  void aPagerMayTakeItsTime() throws Exception {
    // Shows that a client that stops reading only holds the command up; nothing piles up or fails.
    Process client =
        new ProcessBuilder(lab.ssh("head -c 50000000 /dev/zero; touch finished"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    byte[] first = client.getInputStream().readNBytes(1000);
    assertThat(first).hasSize(1000);
    long sent = stuck();
    assertThat(sent).isLessThan(10_000_000);
    assertThat(lab.home.resolve("finished")).doesNotExist();
    assertThat(client.getInputStream().readAllBytes()).hasSize(50_000_000 - 1000);
    assertThat(client.waitFor()).isZero();
    assertThat(lab.home.resolve("finished")).exists();
  }

  /** Waits until no more is sent; how much was. */
  private long stuck() {
    long[] last = {-1, System.nanoTime()};
    Lab.eventually(
        "the sender waits",
        () -> {
          long now = lab.gateway.bytesOut(Lab.LEASE);
          if (now != last[0]) {
            last[0] = now;
            last[1] = System.nanoTime();
          }
          return now > 0 && System.nanoTime() - last[1] > 500_000_000;
        });
    return last[0];
  }

  @Test
  void goneClientsLeaveNoProcess() throws Exception {
    // Shows that a client that is killed takes its command along, with or without a terminal.
    for (String kind : List.of("-T", "-tt")) {
      List<String> command = lab.ssh("sleep 7211");
      command.add(1, kind);
      Process client = lab.background(command);
      Lab.eventually("the command runs", () -> sleeping() == 1);
      client.destroyForcibly();
      Lab.eventually("the command has ended", () -> sleeping() == 0);
    }
    Lab.eventually("no session is left", () -> lab.gateway.openSessions(Lab.LEASE) == 0);
  }

  private static long sleeping() {
    return ProcessHandle.allProcesses()
        .filter(h -> h.info().commandLine().orElse("").equals("/usr/bin/sleep 7211"))
        .count();
  }

  @Test
  void manyAtOnce() throws Exception {
    // Shows that one connection carries many commands at once (ControlMaster), each with its code.
    List<String> master = lab.ssh();
    master.addAll(1, List.of("-M", "-N", "-S", folder.resolve("m").toString()));
    Process running = lab.background(master);
    Lab.eventually("the master is there", () -> Files.exists(folder.resolve("m")));
    List<Process> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      List<String> command = lab.ssh("head -c 100000 /dev/zero; sleep 0.2; exit " + i);
      command.addAll(1, List.of("-S", folder.resolve("m").toString()));
      clients.add(lab.background(command));
    }
    for (int i = 0; i < 20; i++) {
      assertThat(clients.get(i).waitFor()).isEqualTo(i);
    }
    assertThat(lab.gateway.openSessions(Lab.LEASE)).isEqualTo(1);
    running.destroyForcibly(); // ssh may miss a milder signal
    running.waitFor();
  }
}
