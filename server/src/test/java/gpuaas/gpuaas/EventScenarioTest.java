package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The life of an allocation as those hear it who follow along: feed, stream, webhook. */
class EventScenarioTest {

  private static final String EVENTS = "/api/v1/events";
  private static final String ENDPOINTS = "/api/v1/webhook-endpoints";
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Map<String, String> SETTINGS =
      Map.of(
          "GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200",
          "GPUAAS_WEBHOOK_ALLOW_PRIVATE", "true",
          "GPUAAS_EVENTS_STREAM_HEARTBEAT", "200ms",
          "GPUAAS_EVENTS_STREAM_RECHECK_EVERY", "200ms",
          "GPUAAS_EVENTS_STREAMS_MOST_PER_CALLER", "3");

  private static TestServer server;
  private static String token;
  private static String keyId;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(SETTINGS);
    token = server.token("dev-user", "dev123");
    keyId = server.addKey(token, KeyPairs.make("events").publicKey().line());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void eventually(String what, Supplier<Boolean> condition) {
    Eventually.within(PATIENCE, what, condition);
  }

  private static Answer get(String path) {
    return server.call("GET", path, token, "");
  }

  private static String live() {
    String id = server.allocate(token, 1, keyId);
    server.awaitStatus(token, id, "active");
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    server.awaitStatus(token, id, "released");
    return id;
  }

  private static List<String> typesOf(String lease) {
    List<String> types = new ArrayList<>();
    String after = "";
    while (true) {
      JsonNode page = get(EVENTS + "?limit=2&lease_id=" + lease + after).json();
      page.path("items").forEach(item -> types.add(item.path("type").asText()));
      if (!page.path("has_more").asBoolean()) {
        return types;
      }
      after = "&after=" + page.path("next_cursor").asText();
    }
  }

  @Test
  void theFeedTellsAWholeLifePageByPage() {
    String id = live();
    eventually("the end is told", () -> typesOf(id).contains("lease.ended"));
    assertThat(typesOf(id))
        .containsExactly(
            "lease.requested",
            "lease.placed",
            "lease.booting",
            "lease.running",
            "lease.stopping",
            "lease.ended");
    String admin = server.token("dev-admin", "admin123");
    assertThat(server.call("GET", EVENTS + "?lease_id=" + id, admin, "").json().path("items"))
        .as("another project's events are not told")
        .isEmpty();
    for (String bad :
        List.of("?after=1", "?types=lease.exploded", "?lease_id=1", "?limit=0", "?limit=201")) {
      assertThat(get(EVENTS + bad).status()).as(bad).isEqualTo(400);
    }
  }

  @Test
  void theStreamTellsAtOnceAndResumesAfterARestart() throws Exception {
    Path data = Files.createTempDirectory("gpuaas-events");
    DatabaseSettings database = TestDatabase.settings();
    String seen;
    String id;
    List<String> first;
    try (TestServer one = TestServer.start(data, Database.open(database), SETTINGS)) {
      String mine = one.token("dev-user", "dev123");
      String key = one.addKey(mine, KeyPairs.make("stream").publicKey().line());
      try (EventClient client = new EventClient(one.apiUrl() + EVENTS + "/stream", mine, "")) {
        assertThat(client.status()).isEqualTo(200);
        assertThat(client.contentType()).isEqualTo("text/event-stream");
        eventually("it began", () -> !client.lastId().isEmpty());
        id = one.allocate(mine, 1, key);
        eventually("it runs", () -> client.types().contains("lease.running"));
        assertThat(client.told().getFirst().data().path("allocation_id").asText()).isEqualTo(id);
        eventually("it is heard of in silence", () -> client.beats() > 2);
        seen = client.told().get(1).id();
        first = client.types();
        one.call("POST", "/api/v1/allocations/" + id + "/release", mine, "");
        one.awaitStatus(mine, id, "released");
      }
      try (EventClient open = new EventClient(one.apiUrl() + EVENTS + "/stream", mine, seen)) {
        one.running().listeners().api().close();
        eventually("the stream ends with the server", open::ended);
      }
    }
    try (TestServer two = TestServer.start(data, Database.open(database), SETTINGS)) {
      String mine = two.token("dev-user", "dev123");
      String stream = two.apiUrl() + EVENTS + "/stream";
      try (EventClient client = new EventClient(stream, mine, seen);
          EventClient byQuery = new EventClient(stream + "?last_event_id=" + seen, mine, "");
          EventClient filtered =
              new EventClient(stream + "?types=lease.ended&after=" + seen, mine, "")) {
        eventually("the rest is told", () -> client.types().contains("lease.ended"));
        assertThat(client.types())
            .startsWith(first.subList(2, first.size()).toArray(String[]::new))
            .endsWith("lease.stopping", "lease.ended");
        eventually("by query as well", () -> byQuery.types().equals(client.types()));
        eventually("filtered", () -> filtered.types().equals(List.of("lease.ended")));
      }
    }
    new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
  }

  @Test
  void aStreamEndsWhenItsTokenDoesAndThereIsALimit() throws Exception {
    String admin = server.token("dev-admin", "admin123");
    String stream = server.apiUrl() + EVENTS + "/stream";
    List<EventClient> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      clients.add(new EventClient(stream, admin, ""));
    }
    assertThat(server.call("GET", EVENTS + "/stream", admin, "").status()).isEqualTo(409);
    assertThat(server.call("GET", EVENTS + "/stream?after=1", token, "").status()).isEqualTo(400);
    assertThat(server.call("HEAD", EVENTS + "/stream", token, "").status()).isEqualTo(200);
    clients.getFirst().close();
    eventually(
        "whoever goes makes room",
        () -> {
          try (EventClient next = new EventClient(stream, admin, "")) {
            return next.status() == 200;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    enable(false);
    eventually("they end", () -> clients.stream().allMatch(EventClient::ended));
    enable(true);
    clients.forEach(EventClient::close);
  }

  @Test
  void whoeverDoesNotReadIsCutOff() throws Exception {
    // All streams that one may have, and nobody reads: the server must not keep what they leave.
    String id = server.allocate(token, 1, keyId);
    List<Socket> deaf = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Socket socket = new Socket();
      socket.setReceiveBufferSize(4096);
      socket.connect(
          new InetSocketAddress(
              InetAddress.getLoopbackAddress(), server.running().listeners().api().port()));
      String ask =
          "GET %s/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
              .formatted(EVENTS, token);
      socket.getOutputStream().write(ask.getBytes(UTF_8));
      assertThat(socket.getInputStream().read()).as("it began").isEqualTo('H');
      deaf.add(socket);
    }
    assertThat(get(EVENTS + "/stream").status()).isEqualTo(409);
    server
        .running()
        .database()
        .run(tx ->
            tx.update(
                    """
                    insert into event (id, type, lease_id, project_id, sequence, at, correlation_id, details)
                    select gen_random_uuid(), 'lease.placed', l.id, l.project_id, 1000 + n, now(), 'flood',
                      jsonb_build_object('much', repeat('a', 10000))
                      from lease l, generate_series(1, 2000) n where l.id = :id
                    """)
                .bind("id", java.util.UUID.fromString(id))
                .execute());
    eventually(
        "there is room again",
        () -> {
          try (EventClient next =
              new EventClient(server.apiUrl() + EVENTS + "/stream", token, "")) {
            return next.status() == 200;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    for (Socket socket : deaf) {
      socket.close();
    }
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    server.awaitStatus(token, id, "released");
  }

  private static void enable(boolean enabled) {
    server
        .running()
        .database()
        .run(tx ->
            tx.update(
                    "update person set disabled_at = case when :on then null else now() end where"
                        + " username = 'dev-admin'")
                .bind("on", enabled)
                .execute());
  }

  private record Received(String signature, String eventId, String body) {}

  @Test
  void aWebhookIsToldAndTheDocumentsOwnCodeVerifiesIt() throws Exception {
    List<Received> received = new CopyOnWriteArrayList<>();
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    receiver.createContext(
        "/",
        exchange -> {
          var headers = exchange.getRequestHeaders();
          received.add(
              new Received(
                  headers.getFirst("Gpuaas-Signature"),
                  headers.getFirst("Gpuaas-Event-Id"),
                  new String(exchange.getRequestBody().readAllBytes(), UTF_8)));
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    receiver.start();
    String url = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
    String body =
        "{\"url\": \"" + url + "\", \"event_types\": [\"lease.running\", \"lease.ended\"]}";
    Answer made = server.call("POST", ENDPOINTS, token, body);
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    String path = made.headers().get("location");
    String secret = made.json().path("secret").asText();
    assertThat(get(path).body()).doesNotContain("secret");

    String id = live();
    eventually("both are told", () -> received.size() == 2);
    assertThat(received.getFirst().body()).contains("\"type\":\"lease.running\"").contains(id);
    for (Received one : received) {
      assertThat(one.body()).contains("\"id\":\"" + one.eventId() + "\"");
      assertThat(verified(secret, one)).isEqualTo("True");
      assertThat(verified(secret.replace(secret.charAt(0), 'f') + "0", one)).isEqualTo("False");
    }
    JsonNode delivery = get(path + "/deliveries?page_size=1").json().at("/items/0");
    assertThat(delivery.path("event_type").asText()).isEqualTo("lease.ended");
    String resend = path + "/deliveries/" + delivery.path("id").asText() + "/resend";
    assertThat(server.call("POST", resend, token, "").status()).isEqualTo(202);
    eventually("told again", () -> received.size() == 3);
    assertThat(server.call("POST", path + "/probe", token, "").status()).isEqualTo(202);
    eventually("the trial came", () -> received.size() == 4);
    assertThat(received.getLast().body()).contains("webhook.probe");
    String other = server.token("dev-admin", "admin123");
    assertThat(server.call("GET", path, other, "").status()).isEqualTo(404);
    assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(204);
    assertThat(get(path).json().path("code").asText()).isEqualTo("webhook_not_found");
    receiver.stop(0);
  }

  /** What docs/webhooks.md gives receivers, as it stands there. */
  private static String verified(String secret, Received one) throws Exception {
    String document = Files.readString(Path.of("../docs/webhooks.md"));
    String code = document.split("```python\n", 2)[1].split("```", 2)[0];
    String call =
        "\nimport sys\nprint(verify(sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))\n";
    Process python =
        new ProcessBuilder("python3", "-c", code + call, secret, one.signature()).start();
    python.getOutputStream().write(one.body().getBytes(UTF_8));
    python.getOutputStream().close();
    String said = new String(python.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(python.waitFor()).isZero();
    return said;
  }

  @Test
  void whereNobodyMayBeSentIsRefusedAtOnce() {
    for (String url :
        List.of(
            "ftp://example.com/", "http://169.254.169.254/latest", "https://u:p@example.com/")) {
      Answer answer =
          server.call(
              "POST",
              ENDPOINTS,
              token,
              "{\"url\": \"" + url + "\", \"event_types\": [\"lease.ended\"]}");
      assertThat(answer.status()).as(url).isEqualTo(400);
      assertThat(answer.json().path("details").has("url")).as(url).isTrue();
    }
    String none = "{\"url\": \"https://example.com/\", \"event_types\": []}";
    assertThat(server.call("POST", ENDPOINTS, token, none).status()).isEqualTo(400);
  }
}
