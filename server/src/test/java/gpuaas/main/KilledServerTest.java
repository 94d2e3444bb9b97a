package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The whole program, as it is started in life, is killed with SIGKILL while an allocation is in
 * use; started again, it goes on where it was. Told to stop, it stops and leaves what runs running.
 */
class KilledServerTest {

  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final int MANY = 60;

  private ServerProcess server;

  @BeforeEach
  void start() throws Exception {
    server =
        ServerProcess.start(
            Map.of(
                "GPUAAS_WEBHOOK_ALLOW_PRIVATE",
                "true",
                "GPUAAS_WEBHOOK_RETRY_AFTER",
                "0s,1s,1s,1s,2s,5s,10s,30s"));
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void theNextOneGoesOn() throws Exception {
    KeyPairs.Pair pair = KeyPairs.make("killed");
    Path key = Shell.keyFile(server.data(), pair);
    try (HookReceiver receiver = new HookReceiver()) {
      String token = server.token();
      String apiKey = server.apiKey();
      receiver.secret(
          instances(
                  apiKey,
                  "POST",
                  "/webhook-endpoints",
                  "{\"url\": \""
                      + receiver.url()
                      + "\", \"event_types\": [\"instance.creating\", \"instance.running\","
                      + " \"instance.terminated\", \"instance.failed\"]}")
              .json()
              .path("secret")
              .asText());
      String title =
          new ObjectMapper()
              .createObjectNode()
              .put("title", "t")
              .put("key", pair.publicKey().line())
              .toString();
      String keyId = call("POST", "/api/v1/ssh-keys", token, title).json().path("id").asText();
      String body =
          "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
              + " \"ssh_key_ids\": [\""
              + keyId
              + "\"]}";
      String path = "/api/v1/allocations/";
      String id = call("POST", "/api/v1/allocations", token, body).json().path("id").asText();
      JsonNode before = await(token, id, "active");
      assertThat(Shell.inside(before.path("connection"), key, "echo kept > /tmp/kept").exit())
          .isZero();

      Thread dying = Thread.ofVirtual().start(() -> instanceWithKey(apiKey, "died"));
      server.kill();
      dying.join();
      server.up();
      assertThat(call("GET", path + id, token, "").json())
          .as("the token still counts, and nothing has changed")
          .isEqualTo(before);
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");

      String other = onlyOneOtherThan(id, apiKey);
      assertThat(server.stop()).as("it stops when told to").isTrue();
      server.up();
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");
      call("POST", path + id + "/release", token, "");
      await(token, id, "released");
      theBillIsThatOfItsTime(token, apiKey, id);
      instances(apiKey, "DELETE", "/instances/" + other, "");
      await(token, other, "released");
      Eventually.within(
          PATIENCE,
          "all is told",
          () ->
              receiver
                      .types(id)
                      .equals(
                          List.of("instance.creating", "instance.running", "instance.terminated"))
                  && receiver.types(other).contains("instance.terminated"));
    }
  }

  @Test
  @DisplayName("R12: after a crash between effect and answer there is still one effect")
  void whatWasUnderWayHasOneEffect() throws Exception {
    String token = server.token();
    Map<String, Answer> before = new ConcurrentHashMap<>();
    CountDownLatch some = new CountDownLatch(10);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < MANY; i++) {
        String name = "dying-" + i;
        threads.execute(() -> {
          try {
            Answer answer = keyNamed(token, name);
            if (answer.status() == 201) {
              before.put(name, answer);
            }
          } catch (AssertionError died) {
            // It is not known what came of it: that is the point.
          } finally {
            some.countDown();
          }
        });
      }
      some.await();
      server.kill();
    }
    server.up();
    for (int i = 0; i < MANY; i++) {
      Answer again = keyNamed(token, "dying-" + i);
      assertThat(again.status()).as(again.body()).isEqualTo(201);
      Answer first = before.getOrDefault("dying-" + i, again);
      assertThat(again.body()).as("the same key, its secret too").isEqualTo(first.body());
    }
    assertThat(
            call("GET", "/api/v1/api-keys?page_size=200", token, "")
                .json()
                .path("items")
                .findValuesAsText("name"))
        .filteredOn(name -> name.startsWith("dying"))
        .hasSize(MANY)
        .doesNotHaveDuplicates();
  }

  private Answer keyNamed(String token, String name) {
    return TestServer.send(
        "POST",
        server.apiUrl() + "/api/v1/api-keys",
        Map.of("Authorization", "Bearer " + token, "X-Idempotency-Key", name),
        "{\"name\": \"" + name + "\"}");
  }

  /** A request whose server may die meanwhile. */
  private void instanceWithKey(String apiKey, String key) {
    try {
      wanted(apiKey, key);
    } catch (AssertionError died) {
      // That is the point.
    }
  }

  private Answer wanted(String apiKey, String key) {
    return TestServer.send(
        "POST",
        server.gpuaiUrl() + "/instances",
        Map.of("Authorization", "Bearer " + apiKey, "Idempotency-Key", key),
        "{\"gpu_type\": \"h200\", \"gpu_count\": 1, \"tier\": \"on_demand\"}");
  }

  /** The key of the request that died heals: whatever came of that, there is one instance. */
  private String onlyOneOtherThan(String id, String apiKey) {
    Answer again = wanted(apiKey, "died");
    assertThat(again.status()).as(again.body()).isEqualTo(202);
    assertThat(wanted(apiKey, "died").body()).isEqualTo(again.body());
    List<String> all =
        instances(apiKey, "GET", "/instances?status=all", "")
            .json()
            .path("data")
            .findValuesAsText("id");
    String other = again.json().path("resource_id").asText();
    assertThat(all).containsExactlyInAnyOrder(id, other);
    return other;
  }

  /** Seconds from being proved ready to being asked to end, over two deaths of the server. */
  private void theBillIsThatOfItsTime(String token, String apiKey, String id) {
    Map<String, Instant> steps = new HashMap<>();
    call("GET", "/api/v1/allocations/" + id + "/timeline", token, "")
        .json()
        .path("items")
        .forEach(
            item -> steps.put(item.path("step").asText(), Instant.parse(item.path("at").asText())));
    long seconds = Duration.between(steps.get("active"), steps.get("releasing")).toSeconds();
    long gpuSeconds = 0;
    for (JsonNode row :
        instances(apiKey, "GET", "/usage?group_by=instance_id&bucket=month", "")
            .json()
            .path("data")) {
      gpuSeconds +=
          row.path("instance_id").asText().equals(id) ? row.path("gpu_seconds").asLong() : 0;
    }
    assertThat(gpuSeconds).isEqualTo(seconds);
  }

  private Answer instances(String apiKey, String method, String path, String body) {
    return TestServer.send(
        method, server.gpuaiUrl() + path, Map.of("Authorization", "Bearer " + apiKey), body);
  }

  private Answer call(String method, String path, String token, String body) {
    return server.call(method, path, token, body);
  }

  private JsonNode await(String token, String id, String status) {
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        PATIENCE,
        id + " is " + status,
        () -> {
          last[0] = call("GET", "/api/v1/allocations/" + id, token, "").json();
          return last[0].path("status").asText().equals(status);
        });
    return last[0];
  }
}
