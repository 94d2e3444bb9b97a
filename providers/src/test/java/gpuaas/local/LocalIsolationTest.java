package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.Inside.Said;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRef;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an environment can and cannot see and do; all tests share one pair of environments. */
class LocalIsolationTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private static Path folder;

  private static LocalProvider provider;
  private static InstanceRef mine;
  private static InstanceRef other;

  @BeforeAll
  static void start() {
    provider = Inside.open(folder, Map.of("driver", "runc"));
    mine = Inside.create(provider, 1);
    other = Inside.create(provider, 2);
  }

  @AfterAll
  static void end() {
    Inside.destroyAll(provider);
    provider.close();
  }

  private static Said run(String script) {
    return Inside.run(provider, mine, script);
  }

  @Test
  void rootInsideIsNobodyOutside() {
    // Root inside is an unprivileged number on the host, also for the files that it makes.
    assertThat(run("id -u; cat /proc/self/uid_map").output().split("\\s+"))
        .containsExactly("0", "0", "200000", "65536");
    assertThat(run("touch /root/mine && stat -c %u /root/mine").output()).isEqualTo("0\n");
    assertThat(folder.resolve("environments").resolve(mine.id()).resolve("files/upper/root/mine"))
        .exists()
        .satisfies(file -> assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(200_000));
  }

  @Test
  void noProcessOfTheHostIsSeen() {
    // Its own first process has number 1, and there are only a handful.
    assertThat(run("cat /proc/1/cmdline").output()).contains("gpuaas-init");
    assertThat(run("ls -d /proc/[0-9]* | wc -l").output().strip())
        .satisfies(count -> assertThat(Integer.parseInt(count)).isLessThan(10));
    assertThat(run("kill -0 " + ProcessHandle.current().pid()).exitCode()).isNotZero();
  }

  @Test
  void theKernelsSettingsAreRefused() {
    // Mounts, settings, modules, clocks and new namespaces are refused to root inside.
    for (String attempt :
        List.of(
            "mount -t tmpfs none /mnt",
            "mount -o remount,rw /usr",
            "umount /usr",
            "echo 1 > /proc/sys/kernel/panic",
            "echo 1 > /proc/sys/vm/drop_caches",
            "echo b > /proc/sysrq-trigger",
            "echo x > /sys/kernel/profiling",
            "unshare --user true",
            "unshare --mount true",
            "nsenter -t 1 -m true",
            "date -s 2001-01-01",
            "ip link add d0 type dummy",
            "ip route add blackhole 1.2.3.4",
            "touch /usr/touched",
            "mknod /root/disk b 254 0 && dd if=/root/disk of=/dev/null count=1")) {
      assertThat(run(attempt).exitCode()).as(attempt).isNotZero();
    }
  }

  @Test
  void noCapabilityBeyondTheUsualSet() {
    // The bounding set is the documented one, and a filter is in force.
    assertThat(run("grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status").output().split("\\s+"))
        .containsExactly("CapBnd:", "00000000a80425fb", "NoNewPrivs:", "1", "Seccomp:", "2");
  }

  @Test
  void secretsOfTheHostAreNotThere() throws IOException {
    // Neither what the host keeps from users, nor homes, nor our own data is to be seen.
    Path secret = Files.writeString(folder.resolve("secret"), "secret");
    for (String path :
        List.of("/etc/shadow", "/etc/gshadow", "/etc/ssh", "/etc/ssl/private", secret.toString())) {
      assertThat(run("cat " + path + " || ls " + path).exitCode()).as(path).isNotZero();
    }
    assertThat(run("ls -A /home /opt /srv /mnt /var/lib /run/lock").output())
        .doesNotContain("ubuntu", "user1", "dpkg", "gpuaas");
    assertThat(run("ls -A /root").output()).doesNotContain(".ssh", ".m2", ".bash_history");
    assertThat(run("env").output()).doesNotContain("JAVA_HOME", "/root/.cargo");
  }

  @Test
  void otherUsersOfTheHostSeeNoFilesOfEnvironments() throws Exception {
    // The mounted root is behind a folder that only root inside and root outside may enter.
    String mount =
        Inside.traces(mine.id()).stream()
            .filter(line -> line.startsWith("/run/gpuaas/") && line.endsWith("/root"))
            .findFirst()
            .orElseThrow();
    Process stranger =
        new ProcessBuilder("setpriv", "--reuid", "65534", "--clear-groups", "ls", mount)
            .redirectErrorStream(true)
            .start();
    assertThat(new String(stranger.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .contains("Permission denied");
    assertThat(stranger.waitFor()).isNotZero();
  }

  @Test
  void devicesAreOnlyTheHarmlessOnes() {
    // No disk, no memory, no terminal of the host: by name and by number.
    assertThat(run("ls /dev").output().split("\\s+"))
        .containsExactlyInAnyOrder(
            "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
            "stdout", "tty", "urandom", "zero");
    assertThat(run("echo x > /dev/null && head -c 4 /dev/urandom | wc -c").output().strip())
        .isEqualTo("4");
    assertThat(run("cat /proc/kcore | head -c 1 | wc -c").output().strip()).isEqualTo("0");
  }

  @Test
  void environmentsDoNotReachEachOther() {
    // Each has files, processes and a network of its own; 127.0.0.1 is its own too.
    Inside.run(provider, other, "echo hidden > /tmp/file; mkfifo /tmp/pipe");
    assertThat(run("cat /tmp/file").exitCode()).isNotZero();
    assertThat(run("ls /sys/class/net").output()).contains("lo");
    assertThat(run("hostname").output()).isEqualTo("env-1\n");
    assertThat(Inside.run(provider, other, "hostname").output()).isEqualTo("env-2\n");
  }

  @Test
  void aPortInsideIsReachedOnlyThroughTheProvider() throws Exception {
    // What listens on loopback inside is connected to by its number, and not from the host.
    ExecRequest server =
        new ExecRequest(
            List.of(
                "perl",
                "-MIO::Socket::INET",
                "-e",
                "$s=IO::Socket::INET->new(Listen=>5,LocalAddr=>'127.0.0.1:7070') or die;print"
                    + " \"ready\\n\"; $|=1; while($c=$s->accept){print $c \"inside\"; close $c}"),
            Optional.empty(),
            Map.of());
    try (ExecChannel listening = provider.exec(mine, server)) {
      Inside.eventually("the port is open", LocalIsolationTest::answers);
      assertThat(listening.error()).isNotNull();
    }
    Inside.eventually("the port is closed with its process", () -> !answers());
  }

  private static boolean answers() {
    try (SocketChannel connection = provider.connect(mine, 7070)) {
      byte[] said = connection.socket().getInputStream().readAllBytes();
      return new String(said, StandardCharsets.UTF_8).equals("inside");
    } catch (IOException refused) {
      return false;
    }
  }

  @Test
  void closingAChannelEndsTheProcessInside() {
    // Gone is the client, gone is what it started, with a terminal and without.
    for (Optional<ExecRequest.Terminal> terminal :
        List.of(
            Optional.<ExecRequest.Terminal>empty(),
            Optional.of(new ExecRequest.Terminal("xterm", 80, 24)))) {
      ExecRequest sleep =
          new ExecRequest(List.of("sh", "-c", "sleep 98765; true"), terminal, Map.of());
      try (ExecChannel channel = provider.exec(mine, sleep)) {
        Inside.eventually("it runs", () -> sleepers() > 0);
        assertThat(channel.output()).isNotNull();
      }
      Inside.eventually("it has ended", () -> sleepers() == 0);
    }
  }

  private static int sleepers() {
    String count =
        run("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'slee[p] 98765'").output();
    return Integer.parseInt(count.strip());
  }

  @Test
  void aTerminalIsReal() throws Exception {
    // Size, kind, resize, Ctrl-C and the exit code all reach the process inside.
    ExecRequest shell =
        new ExecRequest(
            List.of(), Optional.of(new ExecRequest.Terminal("xterm-256color", 132, 40)), Map.of());
    try (ExecChannel channel = provider.exec(mine, shell)) {
      Typist typist = new Typist(channel);
      typist.type(
          "until [ \"$(stty size)\" = '40 132' ]; do sleep 0.02; done; echo $TERM-$HOME; tty\n");
      typist.await("xterm-256color-/root");
      typist.await("/dev/pts/");
      channel.resize(100, 50);
      typist.type("until [ \"$(stty size)\" = '50 100' ]; do sleep 0.02; done; echo re''sized\n");
      typist.await("resized");
      typist.type("sleep 98765\n");
      Inside.eventually("it runs", () -> sleepers() > 0);
      typist.type("\u0003");
      typist.await("^C");
      typist.type("echo code=$?\n");
      typist.await("code=130");
      typist.type("exit 3\n");
      assertThat(channel.waitFor()).isEqualTo(3);
    }
  }

  @Test
  void aLoginShellIsGreetedAndHasItsVariables() throws Exception {
    // The first words say what the environment has, and that its GPUs are simulated.
    ExecRequest shell =
        new ExecRequest(
            List.of(),
            Optional.of(new ExecRequest.Terminal("xterm", 80, 24)),
            Map.of("EXTRA", "1"));
    try (ExecChannel channel = provider.exec(mine, shell)) {
      Typist typist = new Typist(channel);
      typist.await("simulated GPUs");
      typist.type("echo $GREETING-$EXTRA-$GPUAAS_GPUS_SIMULATED-$NVIDIA_VISIBLE_DEVICES\n");
      typist.await("hello-1-1-SIM-H200-0");
    }
  }

  @Test
  void aCommandThatDoesNotExistIsOneTwentySeven() {
    // Exit codes are the shell's own, and the words say which command it was.
    Said said = Inside.run(provider, mine, "exec no-such-command");
    assertThat(said.exitCode()).isEqualTo(127);
    assertThat(said.error()).contains("no-such-command");
  }
}
