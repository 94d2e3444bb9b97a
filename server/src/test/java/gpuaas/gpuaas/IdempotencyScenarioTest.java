package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The same request with the same key, again and at once: done once, answered always. */
class IdempotencyScenarioTest {

  private static final String PATH = "/api/v1/allocations";
  private static final String KEY = "X-Idempotency-Key";

  private static TestServer server;
  private static String token;
  private static String keyId;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
    keyId = addKey();
  }

  @AfterAll
  static void stop() {
    server
        .call("GET", PATH, token, "")
        .json()
        .path("items")
        .forEach(item -> {
          String id = item.path("id").asText();
          server.call("POST", PATH + "/" + id + "/release", token, "");
          if (!item.path("status").asText().equals("failed")) {
            server.awaitStatus(token, id, "released");
          }
        });
    server.close();
  }

  private static String addKey() {
    return server.addKey(token, KeyPairs.make("idempotency").publicKey().line());
  }

  private static String body(int gpus, String sshKey) {
    return """
    {"sku": "h200-sxm-slice", "gpus_total": %d, "region_code": "us-buffalo-1", "ssh_key_ids": ["%s"]}\
    """
        .formatted(gpus, sshKey);
  }

  private static int leases() {
    return server
        .running()
        .database()
        .read(tx -> tx.query("select count(*) from lease").mapTo(Integer.class).one());
  }

  @Test
  void fiftyAtOnceAreOne() throws Exception {
    int before = leases();
    List<Future<Answer>> answers = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        answers.add(
            threads.submit(() -> server.call("POST", PATH, token, body(1, keyId), KEY, "fifty")));
      }
    }
    assertThat(answers.stream().map(Future::resultNow).map(Answer::status)).containsOnly(201);
    assertThat(
            answers.stream().map(Future::resultNow).map(Answer::body).collect(Collectors.toSet()))
        .hasSize(1);
    assertThat(answers.stream().map(a -> a.resultNow().headers().get("location")).distinct())
        .as("the headers are kept as well")
        .hasSize(1)
        .doesNotContainNull();
    assertThat(leases()).isEqualTo(before + 1);
  }

  @Test
  void theSameKeyWithAnotherBodyIsAConflict() {
    Answer first = server.call("POST", PATH, token, body(1, keyId), KEY, "conflict");
    assertThat(first.status()).isEqualTo(201);
    int before = leases();
    Answer other = server.call("POST", PATH, token, body(2, keyId), KEY, "conflict");
    assertThat(other.status()).isEqualTo(409);
    assertThat(other.json().path("code").asText()).isEqualTo("idempotency_conflict");
    Answer alias = server.call("POST", PATH, token, body(1, keyId), "Idempotency-Key", "conflict");
    assertThat(alias.body()).as("the other header name is the same key").isEqualTo(first.body());
    assertThat(leases()).isEqualTo(before);
  }

  @Test
  void anotherUsersKeyIsAnother() {
    Answer mine = server.call("POST", PATH, token, body(1, keyId), KEY, "shared");
    String admin = server.token("dev-admin", "admin123");
    String adminKey = server.addKey(admin, KeyPairs.make("admin").publicKey().line());
    Answer theirs = server.call("POST", PATH, admin, body(1, adminKey), KEY, "shared");
    assertThat(theirs.status()).isEqualTo(201);
    assertThat(theirs.json().path("id")).isNotEqualTo(mine.json().path("id"));
    String id = theirs.json().path("id").asText();
    server.call("POST", PATH + "/" + id + "/release", admin, "");
    server.awaitStatus(admin, id, "released");
  }

  @Test
  void aRefusedRequestLeavesItsKeyFree() {
    assertThat(server.call("POST", PATH, token, "{}", KEY, "refused").status()).isEqualTo(400);
    assertThat(server.call("POST", PATH, token, body(3, keyId), KEY, "refused").status())
        .isEqualTo(409);
    assertThat(server.call("POST", PATH, token, body(1, keyId), KEY, "refused").status())
        .isEqualTo(201);
  }

  @Test
  void keysHaveALengthAndAreText() {
    int before = leases();
    Answer longest = server.call("POST", PATH, token, body(1, keyId), KEY, "k".repeat(128));
    assertThat(longest.status()).isEqualTo(201);
    for (String bad : List.of("k".repeat(129), "with blank", "")) {
      Answer refused = server.call("POST", PATH, token, body(1, keyId), KEY, bad);
      assertThat(refused.status()).as(bad).isEqualTo(400);
      assertThat(refused.json().path("code").asText()).isEqualTo("validation_error");
      assertThat(refused.json().path("details").has(KEY)).isTrue();
    }
    assertThat(leases()).isEqualTo(before + 1);
  }

  @Test
  void deletingAndReleasingAreAnsweredAgain() {
    String forgotten = "/api/v1/ssh-keys/" + addKey();
    for (int i = 0; i < 3; i++) {
      Answer deleted = server.call("DELETE", forgotten, token, "", KEY, "delete");
      assertThat(deleted.status()).as("try " + i).isEqualTo(204);
      assertThat(deleted.body()).isEmpty();
    }
    assertThat(server.call("DELETE", forgotten, token, "").status()).isEqualTo(404);
    String id = server.allocate(token, 1, keyId);
    String release = PATH + "/" + id + "/release";
    Answer first = server.call("POST", release, token, "", KEY, "release");
    server.awaitStatus(token, id, "released");
    Answer again = server.call("POST", release, token, "", KEY, "release");
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.body()).as("the answer as it was").isEqualTo(first.body());
  }
}
