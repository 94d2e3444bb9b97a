package gpuaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.access.SshKey;
import gpuaas.local.pty.TerminalProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class SshGatewayDoorTest {

  @TempDir Path folder;
  private final List<Lab> labs = new ArrayList<>();

  private Lab lab(UnaryOperator<GatewaySettings> change) throws Exception {
    Lab lab = new Lab(folder, change);
    labs.add(lab);
    return lab;
  }

  @AfterEach
  void stop() {
    labs.forEach(Lab::close);
  }

  private static List<String> as(Lab lab, String name, String key, String... options) {
    List<String> command = new ArrayList<>(List.of("ssh"));
    command.addAll(lab.options(key));
    command.addAll(List.of(options));
    command.addAll(List.of("-p", "" + lab.gateway.port(), name + "@127.0.0.1", "echo in"));
    return command;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "rsa -b 3072", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"})
  void everyKindOfKey(String type) throws Exception {
    // Shows that every kind of key that OpenSSH makes without hardware opens the door.
    Lab lab = lab(settings -> settings);
    lab.holders = List.of(lab.makeKey("other", type.split(" ")));
    assertThat(lab.run(new byte[0], as(lab, "alias", "other")).fine().text()).isEqualTo("in\n");
  }

  @Test
  void rsaNeedsNewHashes() throws Exception {
    // Shows that an RSA key proves itself with SHA-512 or SHA-256, and not with SHA-1.
    Lab lab = lab(settings -> settings);
    lab.holders = List.of(lab.makeKey("rsa", "rsa", "-b", "2048"));
    for (String good : List.of("rsa-sha2-512", "rsa-sha2-256")) {
      lab.run(new byte[0], as(lab, "alias", "rsa", "-o", "PubkeyAcceptedAlgorithms=" + good))
          .fine();
    }
    List<String> old = as(lab, "alias", "rsa", "-o", "PubkeyAcceptedAlgorithms=ssh-rsa");
    assertThat(lab.run(new byte[0], old).code()).isEqualTo(255);
  }

  @Test
  void tokensMustBeTouched() throws Exception {
    // Shows that ssh gets in with a key on a security token, and only if somebody touched it.
    Lab lab = lab(settings -> settings);
    Path socket = folder.resolve("agent");
    try (TokenAgent agent = new TokenAgent(socket)) {
      Files.writeString(folder.resolve("token.pub"), agent.publicKeyLine());
      lab.holders = List.of(SshKey.parse(agent.publicKeyLine()));
      List<String> command =
          as(lab, "alias", "token.pub", "-o", "IdentityAgent=" + socket, "-o", "ControlPath=none");
      assertThat(lab.run(new byte[0], command).fine().text()).isEqualTo("in\n");
      agent.touched = false;
      assertThat(lab.run(new byte[0], command).code()).isEqualTo(255);
    }
  }

  @Test
  void oldClientsKnowTheSecondHostKey() throws Exception {
    // Shows that a client that wants an ECDSA host key gets it, and that both stay after a restart.
    Lab lab = lab(settings -> settings);
    List<String> command = as(lab, "alias", "key", "-o", "HostKeyAlgorithms=ecdsa-sha2-nistp256");
    lab.run(new byte[0], command).fine();
    List<SshKey> before = lab.gateway.hostKeys();
    Path file = folder.resolve("keys").resolve("host");
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(HostKeys.at(file).publicKeys()).isEqualTo(before);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> HostKeys.at(file))
        .isInstanceOf(UncheckedIOException.class)
        .hasRootCauseMessage("Others can read it: run chmod 600 " + file);
  }

  @Test
  void nobodyElse() throws Exception {
    // Shows that a wrong key and a name that leads nowhere get the same words, and are logged.
    Lab lab = lab(settings -> settings);
    SshKey wrong = lab.makeKey("wrong", "ed25519");
    Lab.Ran key = lab.run(new byte[0], as(lab, "alias", "wrong"));
    Lab.Ran name = lab.run(new byte[0], as(lab, "nobody", "key"));
    assertThat(key.code()).isEqualTo(255);
    assertThat(name.code()).isEqualTo(255);
    assertThat(name.error()).isEqualTo(key.error().replace("alias", "nobody"));
    Lab.eventually("both are logged", () -> lab.log.size() == 2);
    assertThat(lab.log)
        .containsExactlyInAnyOrder(
            "refused alias " + wrong.fingerprint() + " 127.0.0.1 NOT_LET_IN",
            "refused nobody " + lab.holders.getFirst().fingerprint() + " 127.0.0.1 NOT_LET_IN");
    Lab.Ran odd = lab.run(new byte[0], as(lab, "../ż" + "x".repeat(100), "key"));
    assertThat(odd.code()).isEqualTo(255);
    Lab.eventually("it is logged", () -> lab.log.size() == 3);
    assertThat(lab.log.getLast()).startsWith("refused ../?" + "x".repeat(60) + " ");
  }

  @Test
  void passwordsAreNotEvenAsked() throws Exception {
    // Shows that a public key is the only way in.
    Lab lab = lab(settings -> settings);
    List<String> command =
        as(lab, "alias", "key", "-o", "PreferredAuthentications=password,keyboard-interactive");
    command.replaceAll(word -> word.equals("LogLevel=ERROR") ? "LogLevel=DEBUG1" : word);
    Lab.Ran ran = lab.run(new byte[0], command);
    assertThat(ran.code()).isEqualTo(255);
    assertThat(ran.error()).containsPattern("Authentications that can continue: publickey\\R");
  }

  @Test
  void endedLeases() throws Exception {
    // Shows that a lease's end ends its open sessions, whatever they do, and says so.
    Lab lab = lab(settings -> settings);
    try (TerminalProcess person = Lab.person(lab.ssh("-tt"))) {
      Process busy = lab.background(lab.ssh("cat /dev/zero"));
      Lab.eventually("both are in", () -> lab.gateway.openSessions(Lab.LEASE) == 2);
      lab.open = false;
      lab.gateway.closeSessions(Lab.LEASE);
      assertThat(
              new String(person.output().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
          .contains("The lease has ended");
      assertThat(person.waitFor()).isEqualTo(255);
      assertThat(busy.waitFor()).isEqualTo(255);
    }
    Lab.eventually("nobody is left", () -> lab.gateway.openSessions(Lab.LEASE) == 0);
    assertThat(lab.run("true").code()).isEqualTo(255);
  }

  @Test
  void removedKeys() throws Exception {
    // Shows that a removed key ends its own session and leaves the others, told or found out.
    Lab lab = lab(settings -> shorter(settings, settings.idleLimit(), Duration.ofSeconds(1)));
    SshKey first = lab.holders.getFirst();
    SshKey second = lab.makeKey("second", "ed25519");
    lab.holders = List.of(first, second);
    List<String> command = as(lab, "alias", "second");
    command.set(command.size() - 1, "sleep 60");
    Process told = lab.background(command);
    Process stays = lab.background(lab.ssh("sleep 60"));
    Lab.eventually("both are in", () -> lab.gateway.openSessions(Lab.LEASE) == 2);
    lab.holders = List.of(first);
    lab.gateway.recheck(Lab.LEASE);
    assertThat(told.waitFor()).isEqualTo(255);
    assertThat(stays.isAlive()).isTrue();
    lab.holders = List.of();
    assertThat(stays.waitFor()).isEqualTo(255);
  }

  @Test
  void newChannelsOfOldSessions() throws Exception {
    // Shows that an open connection gives no new shell once its key has been removed.
    Lab lab = lab(settings -> settings);
    List<String> master = lab.ssh();
    master.addAll(1, List.of("-M", "-N", "-S", folder.resolve("m").toString()));
    Process running = lab.background(master);
    Lab.eventually("the master is there", () -> Files.exists(folder.resolve("m")));
    lab.holders = List.of();
    List<String> command = lab.ssh("echo in");
    command.addAll(1, List.of("-S", folder.resolve("m").toString(), "-o", "ControlMaster=no"));
    Lab.Ran ran = lab.run(new byte[0], command);
    assertThat(ran.code()).isNotZero();
    assertThat(ran.text()).isEmpty();
    assertThat(running.waitFor()).isNotZero();
  }

  private static GatewaySettings shorter(GatewaySettings s, Duration idle, Duration recheck) {
    return new GatewaySettings(
        s.bindAddress(),
        s.port(),
        s.hostKeyFile(),
        idle,
        Duration.ofSeconds(1),
        recheck,
        3,
        4,
        3,
        Duration.ofSeconds(2),
        20,
        5);
  }

  @Test
  void idleSessions() throws Exception {
    // Shows that a session without payload is ended, in spite of keep-alives, with the reason.
    Lab lab = lab(settings -> shorter(settings, Duration.ofSeconds(3), Duration.ofHours(1)));
    List<String> command = as(lab, "alias", "key");
    command.set(command.size() - 1, "sleep 60");
    Lab.Ran ran = lab.run(new byte[0], command);
    assertThat(ran.code()).isEqualTo(255);
    assertThat(ran.error()).contains("Nothing happened for too long");
    assertThat(lab.activity.last(Lab.LEASE)).isPresent();
  }

  @Test
  void limits() throws Exception {
    // Shows the limits on sessions of a lease, on silent connections, and on the time to log in.
    Lab lab = lab(settings -> shorter(settings, Duration.ZERO, Duration.ofHours(1)));
    List<Process> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      clients.add(lab.background(lab.ssh("sleep 60")));
    }
    Lab.eventually("three are in", () -> lab.gateway.openSessions(Lab.LEASE) == 3);
    Lab.Ran fourth = lab.run("true");
    assertThat(fourth.code()).isEqualTo(255);
    assertThat(fourth.error()).contains("too many open sessions");
    clients.forEach(Process::destroyForcibly);
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      silent.add(new Socket(InetAddress.getLoopbackAddress(), lab.gateway.port()));
    }
    for (Socket socket : silent) { // the first five when the time is over, the others at once
      assertThat(readToEnd(socket)).startsWith("SSH-2.0-GPUaaS").hasSizeLessThan(5000);
    }
    Lab.eventually("there is room again", () -> lab.gateway.openSessions(Lab.LEASE) == 0);
    lab.run("true").fine();
  }

  private static String readToEnd(Socket socket) throws IOException {
    try (socket) {
      byte[] all = socket.getInputStream().readAllBytes();
      return all.length == 0
          ? "SSH-2.0-GPUaaS (closed before its greeting)"
          : new String(all, java.nio.charset.StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void tooManyChannels() throws Exception {
    // Shows that a channel too many is refused, and that the session and its other channels live
    // on.
    Lab lab = lab(settings -> shorter(settings, Duration.ZERO, Duration.ofHours(1)));
    List<String> master = lab.ssh();
    master.addAll(1, List.of("-M", "-N", "-S", folder.resolve("m").toString()));
    Process running = lab.background(master);
    Lab.eventually("the master is there", () -> Files.exists(folder.resolve("m")));
    List<Process> clients = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      List<String> command = lab.ssh("touch here" + i + "; sleep 60");
      command.addAll(1, List.of("-S", folder.resolve("m").toString()));
      clients.add(lab.background(command));
      Path here = lab.home.resolve("here" + i);
      Lab.eventually("the command runs", () -> Files.exists(here));
    }
    List<String> fifth = lab.ssh("echo in");
    // The proxy command keeps ssh from trying a connection of its own instead.
    fifth.addAll(1, List.of("-S", folder.resolve("m").toString(), "-o", "ProxyCommand=false"));
    assertThat(lab.run(new byte[0], fifth).code()).isNotZero();
    assertThat(clients).allMatch(Process::isAlive);
    clients.removeFirst().destroyForcibly();
    Lab.eventually("there is a place again", () -> ran(lab, fifth));
    running.destroyForcibly(); // ssh may miss a milder signal
    running.waitFor();
  }

  private static boolean ran(Lab lab, List<String> command) {
    try {
      return lab.run(new byte[0], command).code() == 0;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aBrokenBook() throws Exception {
    // Shows that a look-up that fails lets nobody in, and ends no open session.
    Lab lab = lab(settings -> shorter(settings, Duration.ZERO, Duration.ofSeconds(1)));
    Process stays = lab.background(lab.ssh("touch in; sleep 60"));
    Lab.eventually("it is in", () -> Files.exists(lab.home.resolve("in")));
    lab.broken = true;
    assertThat(lab.run("true").code()).isEqualTo(255);
    int before = lab.lookUps.get();
    Lab.eventually("it was looked up again", () -> lab.lookUps.get() > before + 1);
    assertThat(stays.isAlive()).isTrue();
    lab.broken = false;
    lab.run("true").fine();
    stays.destroyForcibly(); // ssh may miss a milder signal
    stays.waitFor();
  }

  @Test
  void sessionsAreLogged() throws Exception {
    // Shows that the log has the lease, the key and the bytes of a session.
    Lab lab = lab(settings -> settings);
    lab.run(new byte[1234], lab.ssh("cat >/dev/null; echo 12345")).fine();
    Lab.eventually("it is logged", () -> lab.log.size() == 2);
    assertThat(lab.log)
        .containsExactly(
            "opened " + Lab.LEASE + " " + lab.holders.getFirst().fingerprint(),
            "closed " + Lab.LEASE + " 1234 6");
  }
}
