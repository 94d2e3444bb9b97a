package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is measured, after a short life of an allocation and some who are refused. */
class MetricsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static TestServer server;
  private static String token;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200", "GPUAAS_METRICS_COUNT_EVERY", "100ms"));
    token = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<String> lines() {
    return TestServer.send("GET", server.apiUrl() + "/metrics", Map.of(), "")
        .body()
        .lines()
        .toList();
  }

  /** The value of a metric with exactly these labels. */
  private static double value(String metric) {
    return lines().stream()
        .filter(line -> line.startsWith(metric + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(metric.length() + 1)))
        .findFirst()
        .orElse(-1);
  }

  @Test
  void aLifeIsMeasured() {
    for (String counter :
        List.of(
            "provisioning_timeouts_total",
            "provisioning_failures_total",
            "terminal_token_replay_rejected_total",
            "platform_role_admin_denied_total")) {
      assertThat(value(counter)).as(counter + " is there from the start").isNotNegative();
    }
    double before = value("provisioning_dispatch_latency_seconds_count");
    String key = server.addKey(token, KeyPairs.make("metrics").publicKey().line());
    String first = server.allocate(token, 1, key);
    server.awaitStatus(token, first, "active");
    String second = server.allocate(token, 1, key);
    Eventually.within(PATIENCE, "one waits", () -> value("provisioning_queue_depth") == 1);
    assertThat(value("provisioning_dispatch_latency_seconds_count")).isEqualTo(before + 1);
    assertThat(value("provisioning_dispatch_latency_seconds_bucket{le=\"+Inf\"}"))
        .isEqualTo(before + 1);
    for (String id : List.of(second, first)) {
      server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
      server.awaitStatus(token, id, "released");
    }
    Eventually.within(PATIENCE, "nobody waits", () -> value("provisioning_queue_depth") == 0);
    assertThat(value("http_server_requests_total{service=\"gpuaas-api\",status=\"201\"}"))
        .isGreaterThanOrEqualTo(3);
    assertThat(value("provisioning_failures_total")).isZero();
  }

  @Test
  void whoIsRefusedIsCounted() {
    double denied = value("platform_role_admin_denied_total");
    server.call("GET", "/api/v1/admin/policies", token, "");
    server.call("GET", "/api/v1/admin/audit-logs", token, "");
    assertThat(value("platform_role_admin_denied_total"))
        .as("only what is for administrators of the platform")
        .isEqualTo(denied + 1);
    double replays = value("terminal_token_replay_rejected_total");
    URI terminal =
        URI.create(server.apiUrl().replace("http", "ws") + "/ws/terminal/" + UUID.randomUUID());
    WebSocket socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .subprotocols("a-token-that-was-used")
            .buildAsync(terminal, new WebSocket.Listener() {})
            .join();
    Eventually.within(
        PATIENCE,
        "it is counted",
        () -> value("terminal_token_replay_rejected_total") == replays + 1);
    socket.abort();
  }

  @Test
  void nothingThatCallersChooseBecomesALabel() {
    int before = lines().size();
    for (int i = 0; i < 30; i++) {
      Answer answer = server.call("GET", "/api/v1/allocations/" + UUID.randomUUID(), token, "");
      assertThat(answer.status()).isEqualTo(404);
      server.call("GET", "/nowhere/" + i, token, "");
    }
    assertThat(lines()).hasSizeLessThan(before + 25);
  }
}
