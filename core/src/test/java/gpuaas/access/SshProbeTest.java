package gpuaas.access;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.Endpoint;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.AbstractCommandSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SshProbeTest {

  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration SHORT = Duration.ofMillis(300);

  private final KeyPairs.Pair user = KeyPairs.make("user");
  private final KeyPairs.Pair host = KeyPairs.make("host");
  private final SshProbe probe = new SshProbe();
  private final SshServer server = SshServer.setUpDefaultServer();

  @BeforeEach
  void start() throws IOException {
    server.setHost("127.0.0.1");
    server.setKeyPairProvider(KeyPairProvider.wrap(host.keys()));
    server.setPublickeyAuthenticator(
        (name, key, _) -> name.equals("lease") && key.equals(user.keys().getPublic()));
    server.setCommandFactory((_, command) -> new Command(command));
    server.start();
  }

  @AfterEach
  void stop() throws IOException {
    probe.close();
    server.stop(true);
  }

  /** Runs nothing: {@code true} ends with 0, {@code hang} never, all else with 3. */
  private static final class Command extends AbstractCommandSupport {
    Command(String command) {
      super(command, null);
    }

    @Override
    public void start(ChannelSession channel, Environment environment) {
      if (!getCommand().equals("hang")) {
        onExit(getCommand().equals("true") ? 0 : 3);
      }
    }

    @Override
    public void run() {}
  }

  private SshProbe.Result knock(
      SshProbe with, String name, KeyPairs.Pair keys, Optional<SshKey> expected, Duration time) {
    return with.probe(
        new Endpoint("127.0.0.1", server.getPort(), name), keys.keys(), expected, time);
  }

  private static SshProbe.Reason reason(SshProbe.Result result) {
    assertThat(result).isInstanceOf(SshProbe.Result.NotYet.class);
    return ((SshProbe.Result.NotYet) result).reason();
  }

  @Test
  void answers() {
    // Shows that an endpoint that lets the key in answers, with its host key, expected or not.
    assertThat(knock(probe, "lease", user, Optional.empty(), LONG))
        .isInstanceOfSatisfying(
            SshProbe.Result.Answered.class,
            answered -> assertThat(answered.hostKey().blob()).isEqualTo(host.publicKey().blob()));
    assertThat(knock(probe, "lease", user, Optional.of(host.publicKey()), LONG))
        .isInstanceOf(SshProbe.Result.Answered.class);
  }

  @Test
  void anotherHost() {
    // Shows that the key is not even offered to a host that has another key than expected.
    assertThat(reason(knock(probe, "lease", user, Optional.of(user.publicKey()), LONG)))
        .isEqualTo(SshProbe.Reason.HOST_KEY_MISMATCH);
  }

  @Test
  void wrongKeyOrName() {
    // Shows that a rejected key is told apart.
    assertThat(reason(knock(probe, "lease", host, Optional.empty(), LONG)))
        .isEqualTo(SshProbe.Reason.AUTH_REJECTED);
    assertThat(reason(knock(probe, "other", user, Optional.empty(), LONG)))
        .isEqualTo(SshProbe.Reason.AUTH_REJECTED);
  }

  @Test
  void commands() {
    // Shows that a command that fails and one that does not end are told apart.
    try (SshProbe failing = new SshProbe("false");
        SshProbe hanging = new SshProbe("hang")) {
      assertThat(knock(failing, "lease", user, Optional.empty(), LONG))
          .isEqualTo(
              new SshProbe.Result.NotYet(
                  SshProbe.Reason.COMMAND_FAILED, "The command ended with 3"));
      assertThat(knock(probe, "lease", user, Optional.empty(), LONG))
          .isInstanceOf(SshProbe.Result.Answered.class); // warm, so that the next one gets so far
      assertThat(reason(knock(hanging, "lease", user, Optional.empty(), Duration.ofSeconds(3))))
          .isEqualTo(SshProbe.Reason.TIMEOUT);
    }
  }

  @Test
  void nobodyThere() throws IOException {
    // Shows that a port where nothing listens, and a name that does not exist, are told.
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    assertThat(
            reason(
                probe.probe(
                    new Endpoint("127.0.0.1", port, "lease"), user.keys(), Optional.empty(), LONG)))
        .isEqualTo(SshProbe.Reason.REFUSED);
    assertThat(
            reason(
                probe.probe(
                    new Endpoint("host.invalid", 22, "lease"),
                    user.keys(),
                    Optional.empty(),
                    LONG)))
        .isEqualTo(SshProbe.Reason.REFUSED);
  }

  @Test
  void noGreeting() throws Exception {
    // Shows that a listener that says nothing, hangs up, or says something else is told apart.
    try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Endpoint endpoint = new Endpoint("127.0.0.1", socket.getLocalPort(), "lease");
      assertThat(reason(probe.probe(endpoint, user.keys(), Optional.empty(), SHORT)))
          .isEqualTo(SshProbe.Reason.NO_GREETING);
      socket.accept().close();
      for (String words : new String[] {"", "HTTP/1.1 400 Bad Request\r\n\r\n"}) {
        Thread answer =
            Thread.ofVirtual()
                .start(() -> {
                  try (Socket accepted = socket.accept()) {
                    accepted.getOutputStream().write(words.getBytes(StandardCharsets.US_ASCII));
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
        assertThat(reason(probe.probe(endpoint, user.keys(), Optional.empty(), LONG)))
            .isEqualTo(SshProbe.Reason.NO_GREETING);
        answer.join();
      }
    }
  }

  @Test
  void warmProbesLeaveNothingBehind() {
    // Shows that many probes after each other work, and that no session stays open.
    for (int i = 0; i < 30; i++) {
      assertThat(knock(probe, "lease", user, Optional.of(host.publicKey()), LONG))
          .isInstanceOf(SshProbe.Result.Answered.class);
    }
    Eventually.within(LONG, "all sessions end", () -> server.getActiveSessions().isEmpty());
  }
}
