package gpuaas.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.proxy.ProxyLab.Service;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients and leases that mean no good. */
class ProxyHostileTest {

  private final ProxyLab lab =
      new ProxyLab(ProxyLab.settings(Duration.ofSeconds(1), Duration.ofSeconds(1), 256), 1000);

  @AfterEach
  void close() {
    lab.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST PATH HTTP/1.1|Host: h|Content-Length: 5|Transfer-Encoding: chunked||0||GET /x",
        "POST PATH HTTP/1.1|Host: h|Content-Length: 5|Content-Length: 6||hello!",
        "POST PATH HTTP/1.1|Host: h|Content-Length: 5, 5||hello",
        "POST PATH HTTP/1.1|Host: h|Content-Length: +5||hello",
        "POST PATH HTTP/1.1|Host: h|Content-Length: -1||",
        "POST PATH HTTP/1.1|Host: h|Content-Length: 99999999999999999999||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding: xchunked||0||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding: chunked, identity||0||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding: chunked|Transfer-Encoding: chunked||0||",
        "POST PATH HTTP/1.0|Host: h|Transfer-Encoding: chunked||0||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding: chunked||zz|hello|0||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding: chunked||5|hello!!|0||",
        "POST PATH HTTP/1.1|Host: h|Transfer-Encoding : chunked||0||",
        "GET PATH HTTP/1.1|Host: h|X: a| folded||",
        "GET PATH HTTP/1.1|Host: h|Bad Name: a||",
        "GET PATH HTTP/1.1|Host: h|: a||",
        "GET PATH HTTP/1.1|Host: h|Host: i||",
        "GET PATH HTTP/1.1||",
        "GET PATH HTTP/1.1|Host: h/../i||",
        "GET PATH HTTP/1.1|Host: h|X: a\u0001b||",
        "GET PATH HTTP/1.1\nHost: h|\n||",
        "GET PATH HTTP/1.1|Host: h|X: a\rY: b||",
        "GET  PATH HTTP/1.1|Host: h||",
        "GET PATH HTTP/2.0|Host: h||",
        "GET PATH#x HTTP/1.1|Host: h||",
        "GET PATH|Host: h||",
        "GET /\\elsewhere/ HTTP/1.1|Host: h||",
        "GET http://elsewhere/ HTTP/1.1|Host: h||",
        "CONNECT elsewhere:443 HTTP/1.1|Host: h||",
        "TRACE PATH HTTP/1.1|Host: h||",
        "GET PATH HTTP/1.1|Host: h|Connection: Upgrade|Upgrade: websocket|Content-Length: 1||x",
      })
  void whatCouldBeReadInTwoWaysIsRefused(String request) throws Exception {
    // Each with a token that is right, so that nothing but its form speaks against it.
    try (Service service = lab.declare(new Service((_, in, _) -> in.readAllBytes()), true)) {
      String sent =
          request
              .replace("PATH", lab.path(service))
              .replace("|", "\r\n")
              .replaceFirst("Host: h", ProxyLab.bearer().strip() + "\r\nHost: h");
      String answer = lab.raw(sent);
      assertThat(answer).matches("(?s)HTTP/1\\.1 (400|405|501) .*");
      boolean chunks = request.contains("chunked||zz") || request.contains("hello!!");
      assertThat(service.heads)
          .as("only a bad chunk is found while it passes")
          .hasSizeLessThanOrEqualTo(chunks ? 1 : 0);
    }
  }

  @Test
  void aHeadHasItsLimits() throws Exception {
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      assertThat(lab.get(service, "", ProxyLab.bearer(), "X: " + "a".repeat(40_000) + "\r\n"))
          .startsWith("HTTP/1.1 431");
      assertThat(lab.get(service, "", ProxyLab.bearer(), "X: a\r\n".repeat(500)))
          .startsWith("HTTP/1.1 431");
      assertThat(lab.get(service, "a".repeat(40_000), ProxyLab.bearer()))
          .startsWith("HTTP/1.1 431");
      assertThat(service.heads).isEmpty();
    }
  }

  @Test
  void whoIsSlowIsSentAwayAndHoldsNobody() throws Exception {
    // Fifty heads that come byte by byte never end; others are served meanwhile.
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      List<Socket> slow = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        Socket socket = lab.connect();
        ProxyTest.write(socket.getOutputStream(), "GET / HTTP/1.1\r\nX: ");
        slow.add(socket);
      }
      assertThat(lab.get(service, "", ProxyLab.bearer())).endsWith("inside");
      for (Socket socket : slow) {
        try (socket) {
          assertThat(isSentAway(socket)).isTrue();
        }
      }
    }
  }

  private static boolean isSentAway(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (IOException cutOff) {
      return !(cutOff instanceof java.net.SocketTimeoutException);
    }
  }

  @Test
  void whatDoesNotAnswerInTimeIsSaidToBeSo() throws Exception {
    try (Service silent = lab.declare(new Service((_, in, _) -> in.readAllBytes()), true);
        Service gone = lab.declare(new Service((_, _, _) -> {}), true)) {
      assertThat(lab.get(silent, "", ProxyLab.bearer())).startsWith("HTTP/1.1 504");
      assertThat(lab.get(gone, "", ProxyLab.bearer()))
          .startsWith("HTTP/1.1 502")
          .contains("broke off");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello",
        "HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||0||",
        "HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6||hello",
        "HTTP/1.1 200 OK|Content-Length: x||",
        "HTTP/1.1 200 OK|X: a| folded||",
        "HTTP/1.1 101 Switching Protocols|Upgrade: websocket|Connection: Upgrade||",
        "HTTP/1.1 999 Odd||",
        "HTTP/1.1 200 OK|X: a\rSet-Cookie: b||",
      })
  void anAnswerThatIsNoneIsNotPassedOn(String response) throws Exception {
    try (Service service =
        lab.declare(
            new Service((_, _, out) -> ProxyTest.write(out, response.replace("|", "\r\n"))),
            true)) {
      assertThat(lab.get(service, "", ProxyLab.bearer())).startsWith("HTTP/1.1 502");
    }
  }
}
