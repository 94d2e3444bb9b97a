package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** With {@code otel.endpoint} each request is a span; without a collector nothing is the worse. */
class TracingTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  /** A collector that keeps the bytes that it is sent. */
  private static final class Collector implements AutoCloseable {
    private final HttpServer server;
    private final List<String> bodies = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    Collector() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/",
          exchange -> {
            requests.add(
                exchange.getRequestURI()
                    + " "
                    + exchange.getRequestHeaders().getFirst("Content-Type"));
            bodies.add(
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
          });
      server.start();
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** How often these bytes were sent. */
    int count(String bytes) {
      String all = String.join("\n", bodies);
      return (all.length() - all.replace(bytes, "").length()) / bytes.length();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  private static String bytes(String hex) {
    return new String(HexFormat.of().parseHex(hex), StandardCharsets.ISO_8859_1);
  }

  private static TestServer server(String endpoint) throws IOException {
    return TestServer.start(
        Map.of(
            "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
            "GPUAAS_OTEL_ENDPOINT", endpoint,
            "GPUAAS_OTEL_EXPORT_EVERY", "100ms"));
  }

  private static Answer me(TestServer server, String token, String correlation, String... headers) {
    Map<String, String> all = new HashMap<>();
    all.put("Authorization", "Bearer " + token);
    all.put("X-Correlation-Id", correlation);
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return TestServer.send("GET", server.apiUrl() + "/api/v1/me", all, "");
  }

  @Test
  void eachRequestIsASpanOfTheTraceThatItNames() throws Exception {
    try (Collector collector = new Collector();
        TestServer server = server(collector.url())) {
      String token = server.token("dev-user", "dev123");
      for (int i = 0; i < 5; i++) {
        me(server, token, "plain-" + i);
      }
      Answer traced =
          me(server, token, "traced-1", "traceparent", "00-" + TRACE + "-00f067aa0ba902b7-01");
      assertThat(traced.status()).isEqualTo(200);
      assertThat(traced.headers().toString() + traced.body()).doesNotContain(TRACE);
      for (String malformed :
          List.of(
              "00-" + TRACE + "-0000000000000000-01",
              "00-" + "0".repeat(32) + "-00f067aa0ba902b7-01",
              "ff-" + TRACE + "-00f067aa0ba902b7-01",
              "00-xyz-00f067aa0ba902b7-01",
              "x".repeat(5000))) {
        assertThat(me(server, token, "malformed", "traceparent", malformed).status())
            .isEqualTo(200);
      }
      Eventually.within(
          PATIENCE,
          "all have come",
          () -> collector.count("GET /api/v1/me") == 11 && collector.count("malformed") == 5);
      assertThat(collector.count(bytes(TRACE))).as("one span of this trace").isEqualTo(1);
      assertThat(collector.count(bytes("00f067aa0ba902b7"))).as("its parent").isEqualTo(1);
      assertThat(collector.count("plain-")).isEqualTo(5);
      assertThat(collector.requests).allMatch("/v1/traces application/x-protobuf"::equals);
      assertThat(collector.bodies.getFirst()).contains("gpuaas-api", "http.route");
      assertThat(String.join("", collector.bodies)).doesNotContain(token);
    }
  }

  @Test
  void withoutItsCollectorTheServerAnswersAsEver() throws Exception {
    int nobody;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = socket.getLocalPort();
    }
    try (TestServer server = server("http://127.0.0.1:" + nobody)) {
      String token = server.token("dev-user", "dev123");
      for (int i = 0; i < 3000; i++) { // more than wait to be sent
        assertThat(me(server, token, "alone").status()).isEqualTo(200);
      }
    }
  }
}
