package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.market.sim.SimFate;
import gpuaas.market.sim.SimFaults;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.tensordock.TensordockApiSim;
import gpuaas.vastai.VastaiApiSim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documents' own calls, against a server that rents from simulated markets. */
class ShopperScenarioTest {

  private static final String KEY = "a-key-of-the-scenario";
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private final InstantSource clock = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private SimServer vastai;
  private SimServer tensordock;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    vastai = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("v"), KEY, 1).start(0);
    tensordock =
        TensordockApiSim.server(clock, SimRules.quick(), folder.resolve("t"), KEY, 1).start(0);
    Map<String, String> environment = new HashMap<>();
    for (Map.Entry<String, SimServer> market :
        Map.of("VASTAI", vastai, "TENSORDOCK", tensordock).entrySet()) {
      String prefix = "GPUAAS_PROVIDER_" + market.getKey() + "_";
      environment.put(prefix + "BASE_URL", market.getValue().url().toString());
      environment.put(prefix + "API_KEY", KEY);
      environment.put(prefix + "CALLS_PER_SECOND", "1000");
      environment.put(prefix + "BURST", "100");
      environment.put(prefix + "LOOK_EVERY", "0s");
      environment.put(prefix + "SIMULATED", "true");
    }
    environment.put("GPUAAS_PROVIDER_LOCAL_TYPE", "local");
    environment.put("GPUAAS_LEASE_WATCH_EVERY", "500ms");
    server = TestServer.start(environment, clock);
  }

  @AfterEach
  void stop() {
    server.close();
    vastai.close();
    tensordock.close();
  }

  private Answer call(String method, String path, String body) {
    Answer answer = TestServer.send(method, server.shopperUrl() + path, Map.of(), body);
    ShopperContract.check(method, path, answer);
    return answer;
  }

  private JsonNode get(String path) {
    Answer answer = call("GET", path, "");
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json();
  }

  private static String wanted(String consumer, String offer, String more) {
    return "{\"consumer_id\": \""
        + consumer
        + "\", \"offer_id\": \""
        + offer
        + "\", \"workload_type\": \"llm\", \"reservation_hours\": 2"
        + more
        + "}";
  }

  private List<String> offers(String query) {
    return StreamSupport.stream(
            get("/api/v1/inventory?" + query).path("offers").spliterator(), false)
        .map(offer -> offer.path("id").asText())
        .toList();
  }

  private JsonNode awaitStatus(String id, String status) {
    Eventually.within(
        SOON,
        "the session is " + status,
        () -> get("/api/v1/sessions/" + id).path("status").asText().equals(status));
    return get("/api/v1/sessions/" + id);
  }

  @Test
  void aSessionFromTheListToItsEnd() throws Exception {
    // Shows the documents' whole way: list, create, wait, log in with the returned key, extend,
    // look into it, finish, pay.
    JsonNode inventory = get("/api/v1/inventory?provider=vastai&limit=5");
    assertThat(inventory.path("count").asInt()).isEqualTo(inventory.path("offers").size());
    assertThat(inventory.path("total").asInt())
        .isGreaterThanOrEqualTo(inventory.path("count").asInt());
    JsonNode offer = inventory.path("offers").path(0);
    assertThat(offer.path("id").asText()).isEqualTo("vastai-" + offer.path("provider_id").asText());
    Answer created =
        call("POST", "/api/v1/sessions", wanted("my-application", offer.path("id").asText(), ""));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    JsonNode session = created.json().path("session");
    assertThat(session.path("status").asText()).isIn("provisioning", "running");
    assertThat(session.path("price_per_hour").decimalValue())
        .isEqualByComparingTo(offer.path("price_per_hour").decimalValue());
    String id = session.path("id").asText();

    JsonNode running = awaitStatus(id, "running");
    KeyPairs.Pair pair = KeyPairs.read(created.json().path("ssh_private_key").asText());
    Path key = Shell.keyFile(Files.createDirectory(folder.resolve("client")), pair);
    Shell.Ran ran = Shell.inside(connection(running), key, "pwd");
    String machine = vastai.market().ledger().getFirst().id();
    assertThat(ran.out()).contains(machine);

    Answer extended =
        call("POST", "/api/v1/sessions/" + id + "/extend", "{\"additional_hours\": 2}");
    assertThat(extended.status()).as(extended.toString()).isEqualTo(200);
    assertThat(Instant.parse(extended.json().path("new_expires_at").asText()))
        .isEqualTo(Instant.parse(session.path("expires_at").asText()).plus(Duration.ofHours(2)));
    assertThat(get("/api/v1/sessions/" + id).path("reservation_hours").asInt()).isEqualTo(4);
    JsonNode diagnostics = get("/api/v1/sessions/" + id + "/diagnostics");
    assertThat(diagnostics.path("ssh_available").asBoolean()).isTrue();
    assertThat(diagnostics.path("uptime").asText()).isEqualTo("0m");

    Answer done = call("POST", "/api/v1/sessions/" + id + "/done", "");
    assertThat(done.status()).as(done.toString()).isEqualTo(200);
    assertThat(vastai.market().ledger()).noneMatch(SimRental.Bill::open);
    assertThat(get("/api/v1/sessions/" + id).path("status").asText()).isEqualTo("stopped");
    assertThat(call("POST", "/api/v1/sessions/" + id + "/done", "").status()).isEqualTo(409);
    assertThat(call("DELETE", "/api/v1/sessions/" + id, "").status()).isEqualTo(200);
    assertThat(get("/api/v1/costs?session_id=" + id).path("total_cost").decimalValue())
        .isNotNegative();
    JsonNode summary = get("/api/v1/costs/summary?consumer_id=my-application");
    assertThat(summary.path("session_count").asInt()).isEqualTo(1);
    assertThat(summary.path("by_provider").has("vastai")).isTrue();
  }

  @Test
  void anOfferThatIsGone() {
    // Shows that the caller hears at once that an offer is gone, and what could be had instead;
    // and that with retries another one is taken in its place, opened by the key that was returned.
    List<String> found = offers("provider=vastai");
    vastai.market().vanishing(true);
    Answer stale = call("POST", "/api/v1/sessions", wanted("c", found.getFirst(), ""));
    assertThat(stale.status()).as(stale.toString()).isEqualTo(503);
    assertThat(stale.json().path("error_type").asText()).isEqualTo("stale_inventory");
    assertThat(stale.json().path("offer_id").asText()).isEqualTo(found.getFirst());
    assertThat(stale.json().path("retry_suggested").asBoolean()).isTrue();
    assertThat(stale.json().has("alternatives")).isTrue();
    assertThat(get("/api/v1/sessions?status=failed").path("count").asInt()).isEqualTo(1);
  }

  @Test
  void oneMachineForManyEqualRequests() throws Exception {
    // Shows that of twenty equal requests at once one makes a session, and the others are told.
    String offer = offers("provider=vastai").getFirst();
    List<Integer> statuses = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(callers.submit(() -> call("POST", "/api/v1/sessions", wanted("same", offer, ""))));
      }
      for (Future<Answer> answer : all) {
        statuses.add(answer.get().status());
        if (answer.get().status() != 201) {
          assertThat(answer.get().status()).as(answer.get().toString()).isEqualTo(409);
          assertThat(answer.get().json().path("error").asText())
              .contains("consumer same already has active session");
        }
      }
    }
    assertThat(statuses).containsOnlyOnce(201);
    assertThat(vastai.market().ledger()).hasSize(1);
  }

  @Test
  void anotherOfferTakesThePlaceOfOneThatIsGone() {
    // Shows that with retries a create that meets a gone offer makes a session on the next one.
    List<String> found = offers("provider=vastai&gpu_type=RTX+4090&gpu_count=1");
    assertThat(found).hasSizeGreaterThan(1);
    vastai.faults().order(SimFaults.Kind.QUOTA, "create", 1, 0);
    Answer created =
        call(
            "POST",
            "/api/v1/sessions",
            wanted("r", found.getFirst(), ", \"auto_retry\": true, \"retry_scope\": \"any\""));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    assertThat(created.json().path("retries_attempted").asInt()).isEqualTo(1);
    JsonNode session = created.json().path("session");
    assertThat(session.path("retry_count").asInt()).isEqualTo(1);
    assertThat(session.path("failed_offers").asText()).isEqualTo(found.getFirst());
    JsonNode parent = get("/api/v1/sessions/" + session.path("retry_parent_id").asText());
    assertThat(parent.path("status").asText()).isEqualTo("failed");
    assertThat(parent.path("retry_child_id").asText()).isEqualTo(session.path("id").asText());
  }

  @Test
  void aMachineThatDiesBeforeUseIsReplacedUnderTheSameKey() throws Exception {
    // Shows that the child of a session that failed later is opened by the key that was returned.
    String offer = offers("provider=vastai&gpu_count=1").getFirst();
    vastai.market().nextFate(SimFate.CANNOT_START);
    Answer created =
        call(
            "POST",
            "/api/v1/sessions",
            wanted("k", offer, ", \"auto_retry\": true, \"retry_scope\": \"any\""));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    String first = created.json().at("/session/id").asText();
    Eventually.within(
        SOON, "there is a child", () -> get("/api/v1/sessions/" + first).has("retry_child_id"));
    String child = get("/api/v1/sessions/" + first).path("retry_child_id").asText();
    JsonNode running = awaitStatus(child, "running");
    KeyPairs.Pair pair = KeyPairs.read(created.json().path("ssh_private_key").asText());
    Path key = Shell.keyFile(Files.createDirectory(folder.resolve("client")), pair);
    assertThat(Shell.inside(connection(running), key, "true").exit()).isZero();
    JsonNode health = get("/api/v1/offer-health");
    assertThat(health.path("offers").findValuesAsText("offer_id")).contains(offer);
  }

  @Test
  void aServiceOfAnImage() {
    // Shows that what an image runs by itself is running when its health says so, and where.
    String offer = offers("provider=vastai&gpu_count=1").getFirst();
    Answer created =
        call(
            "POST",
            "/api/v1/sessions",
            wanted(
                "e",
                offer,
                ", \"launch_mode\": \"entrypoint\", \"docker_image\": \"vllm/vllm-openai\","
                    + " \"exposed_ports\": [8000]"));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    JsonNode running = awaitStatus(created.json().at("/session/id").asText(), "running");
    assertThat(running.path("launch_mode").asText()).isEqualTo("entrypoint");
    assertThat(running.path("api_port").asInt()).isEqualTo(8000);
    Answer health =
        TestServer.send("GET", running.path("api_endpoint").asText() + "/health", Map.of(), "");
    assertThat(health.status()).isEqualTo(200);
    assertThat(running.has("ssh_host")).isFalse();
  }

  @Test
  void aVirtualMachineOfTheOtherMarket() {
    JsonNode offer = get("/api/v1/inventory?provider=tensordock&limit=1").path("offers").path(0);
    assertThat(offer.path("id").asText())
        .startsWith("tensordock-" + offer.path("provider_id").asText());
    assertThat(offer.path("provider_id").asText()).hasSize(36);
    Answer created = call("POST", "/api/v1/sessions", wanted("t", offer.path("id").asText(), ""));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    String id = created.json().at("/session/id").asText();
    awaitStatus(id, "running");
    Answer gone = call("DELETE", "/api/v1/sessions/" + id, "");
    assertThat(gone.json().path("message").asText()).isEqualTo("session destroyed");
    assertThat(tensordock.market().ledger()).noneMatch(SimRental.Bill::open);
  }

  @Test
  void aRequestThatIsNoGoodTakesNoOfferFromOthers() {
    // Shows that nobody can hide offers from everybody by asking for what they cannot do.
    String vast = offers("provider=vastai").getFirst();
    String own = offers("provider=local").getFirst();
    for (String consumer : List.of("x", "y", "z")) {
      assertThat(
              call("POST", "/api/v1/sessions", wanted(consumer, vast, ", \"disk_gb\": 99999"))
                  .status())
          .isEqualTo(503);
      assertThat(
              call("POST", "/api/v1/sessions", wanted(consumer, own, ", \"on_start_cmd\": \"id\""))
                  .status())
          .isEqualTo(500);
    }
    assertThat(get("/api/v1/offer-health").path("count").asInt()).isZero();
    assertThat(offers("provider=vastai")).contains(vast);
    assertThat(offers("provider=local")).contains(own);
  }

  static ObjectNode connection(JsonNode running) {
    return new ObjectMapper()
        .createObjectNode()
        .put("host", running.path("ssh_host").asText())
        .put("port", running.path("ssh_port").asInt())
        .put("username", running.path("ssh_user").asText());
  }
}
