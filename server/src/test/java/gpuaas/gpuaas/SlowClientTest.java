package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * S3: who says what they want a byte at a time is cut off, on every listener, and nobody else.
 *
 * <p>Bodies, heads and pages that are too long: {@link HostileInputTest}. Frames that are too long,
 * and who does not read a terminal: {@link TerminalScenarioTest}. Who does not read a stream:
 * {@link EventScenarioTest}. How many calls there may be: {@link RateLimitTest}.
 */
@DisplayName("S3: slow clients")
class SlowClientTest {

  private static final Duration BETWEEN = Duration.ofMillis(200);
  private static final int BYTES_MOST = 300;

  private static TestServer server;
  private static String token;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200", "GPUAAS_API_RECEIVE_LIMIT", "2s"));
    token = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** A connection that is written to a byte at a time until it is closed. */
  private static final class Drip implements AutoCloseable {
    private final Socket socket;

    Drip(String url) throws IOException {
      URI at = URI.create(url);
      socket = new Socket(at.getHost(), at.getPort());
      socket.setSoTimeout(20_000);
    }

    Drip say(String text) throws IOException {
      socket.getOutputStream().write(text.getBytes(UTF_8));
      return this;
    }

    /** What was answered before the end; how many bytes it took is less than so many. */
    String drip(String each) {
      int sent = 0;
      try {
        while (sent < BYTES_MOST) {
          socket.getOutputStream().write(each.getBytes(UTF_8));
          sent++;
          LockSupport.parkNanos(BETWEEN.toNanos());
          if (socket.getInputStream().available() > 0) {
            break;
          }
        }
      } catch (IOException e) {
        // It was closed, which is what is waited for.
      }
      assertThat(sent).as("bytes until it was cut off").isLessThan(BYTES_MOST);
      return rest();
    }

    String rest() {
      try {
        return new String(socket.getInputStream().readAllBytes(), UTF_8);
      } catch (IOException e) {
        return "";
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void aHeadThatTakesTooLongIsCutOffOnEveryListener() throws Exception {
    for (String url :
        List.of(
            server.apiUrl(),
            server.idpUrl(),
            server.gpuaiUrl(),
            server.gpudevUrl(),
            server.shopperUrl())) {
      try (Drip drip = new Drip(url)) {
        drip.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        assertThat(drip.drip("x")).as(url).isEmpty();
      }
    }
  }

  @Test
  void theSecondHeadOfAConnectionToo() throws Exception {
    try (Drip drip = new Drip(server.apiUrl())) {
      drip.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
      byte[] first = drip.socket.getInputStream().readNBytes(15);
      assertThat(new String(first, UTF_8)).isEqualTo("HTTP/1.1 200 OK");
      var _ = drip.socket.getInputStream().skip(drip.socket.getInputStream().available());
      drip.say("GET /healthz HTTP/1.1\r\nX-Slow: ");
      assertThat(drip.drip("x")).doesNotContain("HTTP/1.1 200");
    }
  }

  @Test
  void aBodyThatTakesTooLongIsToldSo() throws Exception {
    try (Drip drip = new Drip(server.apiUrl())) {
      drip.say(
          "POST /api/v1/ssh-keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
              + token
              + "\r\nContent-Length: 1000\r\n\r\n{");
      String answer = drip.drip(" ");
      assertThat(answer)
          .startsWith("HTTP/1.1 408")
          .contains("too slowly")
          .contains("Connection: close");
    }
  }

  @Test
  void aTerminalIsNoRequestThatTakesLong() throws Exception {
    String key = server.addKey(token, KeyPairs.make("slow").publicKey().line());
    String id = server.allocate(token, 1, key);
    server.awaitStatus(token, id, "active");
    String path = "/api/v1/allocations/" + id;
    String opens =
        server.call("POST", path + "/terminal-token", token, "").json().path("token").asText();
    String url = server.apiUrl().replace("http", "ws") + "/ws/terminal/" + id;
    try (TerminalClient terminal = TerminalClient.open(url, opens)) {
      for (int i = 0; i < 20; i++) {
        terminal.type("echo still-$((" + i + "+0))\r");
        terminal.until("still-" + i);
        LockSupport.parkNanos(BETWEEN.toNanos());
      }
    }
    server.call("POST", path + "/release", token, "");
    server.awaitStatus(token, id, "released");
  }

  @Test
  void whoIsSilentBetweenRequestsOrListensForLongIsNot() throws Exception {
    try (Drip idle = new Drip(server.apiUrl());
        Drip stream = new Drip(server.apiUrl())) {
      stream.say(
          "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
              + token
              + "\r\n\r\n");
      assertThat(stream.socket.getInputStream().read()).isEqualTo('H');
      String ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
      for (int i = 0; i < 2; i++) {
        idle.say(ask);
        assertThat(new String(idle.socket.getInputStream().readNBytes(15), UTF_8))
            .isEqualTo("HTTP/1.1 200 OK");
        var _ = idle.socket.getInputStream().skip(idle.socket.getInputStream().available());
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(4));
      }
      stream.say("\r\n");
      stream.socket.setSoTimeout(20_000);
      assertThat(stream.socket.getInputStream().read()).as("it goes on").isNotNegative();
    }
  }
}
