package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.catalog.Want;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Allocations that end by themselves, in real environments; and how one asks for that. */
class GuardsScenarioTest {

  private static final Duration IDLE_AFTER = Duration.ofSeconds(8);

  private static TestServer server;
  private static String token;
  private static String keyId;
  private static Path key;

  @BeforeAll
  static void start() throws IOException {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200",
                "GPUAAS_LEASE_WATCH_EVERY", "1s",
                "GPUAAS_LEASE_IDLE_WARN_BEFORE", "3s"));
    token = server.token("dev-user", "dev123");
    KeyPairs.Pair pair = KeyPairs.make("guards");
    keyId = server.addKey(token, pair.publicKey().line());
    key = Shell.keyFile(server.data(), pair);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer ask(String more) {
    String body =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 2, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": [\"%s\"], %s}".formatted(keyId, more);
    return server.call("POST", "/api/v1/allocations", token, body);
  }

  private static void release(String id) {
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    server.awaitStatus(token, id, "released");
  }

  /** Asks for one with times that no user could ask for, to wait for them. */
  private static String request(Optional<Duration> term, Optional<Duration> idle) {
    JsonNode me = server.call("GET", "/api/v1/me", token, "").json();
    String known = server.allocate(token, 1, keyId);
    Lease own = server.running().leases().find(UUID.fromString(known)).orElseThrow();
    release(known);
    Caller caller =
        new Caller(
            own.requestedBy(),
            me.path("username").asText(),
            own.tenant(),
            own.project(),
            Standing.OWNER,
            Optional.empty(),
            "guards");
    LeaseSpec spec =
        new LeaseSpec(
            new Want(
                "h200-sxm-slice",
                "H200",
                1,
                Optional.of(new Region("us-buffalo-1")),
                Tier.ON_DEMAND),
            "",
            List.of(UUID.fromString(keyId)),
            Map.of(),
            term,
            LeaseSpec.WhenFull.QUEUE,
            Duration.ZERO,
            new Guards(Optional.empty(), idle.map(after -> new Guards.Idle(after, 10))));
    Lease lease =
        server
            .running()
            .database()
            .tx(tx -> server.running().leases().request(tx, caller, spec, Optional.empty()));
    return lease.id().toString();
  }

  private static JsonNode connection(String id) {
    return server.awaitStatus(token, id, "active").path("connection");
  }

  private static List<JsonNode> steps(String id, String step) {
    List<JsonNode> found = new ArrayList<>();
    server
        .call("GET", "/api/v1/allocations/" + id + "/timeline", token, "")
        .json()
        .path("items")
        .forEach(item -> {
          if (item.path("step").asText().equals(step)) {
            found.add(item);
          }
        });
    return found;
  }

  private static String status(String id) {
    return server
        .call("GET", "/api/v1/allocations/" + id, token, "")
        .json()
        .path("status")
        .asText();
  }

  private static Process open(JsonNode connection) throws IOException {
    Process open = new ProcessBuilder(Shell.ssh(connection, key, "cat")).start();
    type(open);
    assertThat(new String(open.getInputStream().readNBytes(2), UTF_8)).isEqualTo("x\n");
    return open;
  }

  private static void type(Process open) {
    try {
      open.getOutputStream().write("x\n".getBytes(UTF_8));
      open.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void whatNobodyUsesEndsAndWhatSomebodyUsesGoesOn() throws Exception {
    // Beside each other: a job without a session, a session with traffic, and one open and silent.
    String busy = request(Optional.empty(), Optional.of(IDLE_AFTER));
    String job =
        "nohup sh -c 'while :; do :; done' > /dev/null 2>&1 < /dev/null & echo $! > /tmp/job";
    assertThat(Shell.inside(connection(busy), key, job).exit()).isZero();
    String typed = request(Optional.empty(), Optional.of(IDLE_AFTER));
    Process typing = open(connection(typed));
    String silent = request(Optional.empty(), Optional.of(IDLE_AFTER));
    Process quiet = open(connection(silent));

    Eventually.within(
        Duration.ofSeconds(90),
        "the silent one ends",
        () -> {
          type(typing);
          return status(silent).equals("released");
        });
    JsonNode warning = steps(silent, "idle_warning").getFirst();
    JsonNode ending = steps(silent, "releasing").getFirst();
    assertThat(ending.at("/details/reason").asText()).isEqualTo("idle");
    assertThat(Instant.parse(ending.path("at").asText()))
        .isAfterOrEqualTo(Instant.parse(warning.at("/details/at").asText()));
    assertThat(steps(silent, "idle_warning")).hasSize(1);
    assertThat(quiet.waitFor()).isNotZero();

    assertThat(status(busy)).isEqualTo("active");
    assertThat(steps(busy, "idle_warning")).isEmpty();
    assertThat(status(typed)).isEqualTo("active");
    assertThat(steps(typed, "idle_warning")).isEmpty();

    // Once nobody types any more, and once the job is over, they end as well.
    assertThat(Shell.inside(connection(busy), key, "kill $(cat /tmp/job)").exit()).isZero();
    server.awaitStatus(token, typed, "released");
    server.awaitStatus(token, busy, "released");
    assertThat(typing.waitFor()).isNotZero();
  }

  @Test
  void theEndIsToldInsideAndAsAStep() throws Exception {
    // A file appears in the environment, and a step in the timeline, before the end and once.
    String id = request(Optional.of(Duration.ofSeconds(40)), Optional.empty());
    JsonNode active = server.awaitStatus(token, id, "active");
    String wait = "until cat /run/gpuaas/end-notice 2> /dev/null; do sleep 0.2; done";
    Shell.Ran inside = Shell.inside(active.path("connection"), key, wait);
    assertThat(inside.out())
        .as(inside.err())
        .isEqualTo("This environment ends at " + active.path("ends_at").asText() + "\n");
    server.awaitStatus(token, id, "released");
    assertThat(steps(id, "ending_soon")).hasSize(1);
    assertThat(steps(id, "releasing").getFirst().at("/details/reason").asText())
        .isEqualTo("expired");
  }

  @Test
  void whatOneCanAskFor() {
    // The guards of a request are shown again; the end is known once it is active.
    Answer asked =
        ask(
            "\"duration_minutes\": 90, \"idle_stop_minutes\": 30, \"idle_cpu_percent\": 7,"
                + " \"max_price_per_hour\": 1000.5");
    assertThat(asked.status()).as(asked.body()).isEqualTo(201);
    assertThat(asked.json().path("idle_stop_minutes").asInt()).isEqualTo(30);
    assertThat(asked.json().path("ends_at").isNull()).isTrue();
    String id = asked.json().path("id").asText();
    Lease lease = server.running().leases().find(UUID.fromString(id)).orElseThrow();
    assertThat(lease.spec().guards())
        .isEqualTo(
            new Guards(
                Optional.of(1_000_500_000L),
                Optional.of(new Guards.Idle(Duration.ofMinutes(30), 7))));
    JsonNode active = server.awaitStatus(token, id, "active");
    Instant since = Instant.parse(active.path("active_at").asText());
    assertThat(Instant.parse(active.path("ends_at").asText()))
        .isEqualTo(since.plus(Duration.ofMinutes(90)));
    release(id);
  }

  @Test
  void whatIsTooDearOrMakesNoSenseIsRefused() {
    Answer dear = ask("\"max_price_per_hour\": 0.000001");
    assertThat(dear.status()).isEqualTo(409);
    assertThat(dear.body()).contains("price_too_high");
    for (String wrong :
        List.of(
            "\"duration_minutes\": 0",
            "\"duration_minutes\": 525601",
            "\"duration_minutes\": 1.5",
            "\"duration_minutes\": \"10\"",
            "\"idle_stop_minutes\": 10081",
            "\"idle_stop_minutes\": -1",
            "\"idle_stop_minutes\": 5, \"idle_cpu_percent\": 0",
            "\"idle_stop_minutes\": 5, \"idle_cpu_percent\": 101",
            "\"idle_cpu_percent\": 5",
            "\"max_price_per_hour\": -1",
            "\"max_price_per_hour\": \"cheap\"",
            "\"max_price_per_hour\": 1e30")) {
      Answer answer = ask(wrong);
      assertThat(answer.status()).as(wrong).isEqualTo(400);
      assertThat(answer.body()).as(wrong).contains(wrong.replaceAll(".*\"(\\w+)\":.*", "$1"));
    }
  }
}
