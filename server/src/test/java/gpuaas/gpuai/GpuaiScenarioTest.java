package gpuaas.gpuai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The stories of the document, at both mounts, on real environments; every answer is checked. */
class GpuaiScenarioTest {

  private static TestServer server;
  private static GpuaiClient document;
  private static GpuaiClient sdk;
  private static String sshKey;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "4xH200",
                "GPUAAS_GPUAI_CAPACITY_WAIT", "1s",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "1000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "1000"));
    String key = server.apiKey("full_access");
    document = GpuaiClient.of(server, Profile.DOCUMENT, key);
    sdk = GpuaiClient.of(server, Profile.SDK, key);
    sshKey = document.addSshKey(KeyPairs.make("scenario").publicKey().line());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theRoutesAreThoseOfTheDocuments() {
    for (Profile profile : Profile.values()) {
      String mount = profile == Profile.DOCUMENT ? "/v1" : "/sdk/v1";
      Set<String> there = new TreeSet<>();
      server.running().dialects().stream()
          .filter(dialect -> dialect.name().startsWith("gpuai"))
          .flatMap(dialect -> dialect.routes().stream())
          .filter(route -> route.path().startsWith(mount + "/"))
          .forEach(
              route -> there.add(route.method() + " " + route.path().substring(mount.length())));
      JsonNode written = GpuaiClient.document(profile);
      assertThat(there).hasSize(19).isEqualTo(GpuaiClient.operations(written));
      Answer served = GpuaiClient.of(server, profile, "").get("/openapi.json");
      assertThat(served.json()).isEqualTo(written);
    }
  }

  @Test
  void aWholeLifeAtTheDocumentsMount() {
    aWholeLife(document, List.of("creating", "provisioning", "booting", "running"));
  }

  @Test
  void aWholeLifeAtTheSdksMount() {
    aWholeLife(sdk, List.of("allocating", "starting", "running"));
  }

  private static void aWholeLife(GpuaiClient client, List<String> words) {
    JsonNode operation = client.create(2, "Idempotency-Key", "life-" + words.size());
    assertThat(operation.path("kind").asText()).isEqualTo("instance.create");
    assertThat(operation.path("state").asText()).isEqualTo("pending");
    String id = operation.path("resource_id").asText();
    JsonNode early = client.get("/instances/" + id).json();
    assertThat(words).contains(early.path("status").asText());
    JsonNode done = client.awaitEnd(operation);
    assertThat(done.path("state").asText()).isEqualTo("succeeded");
    assertThat(done.path("completed_at").isNull()).isFalse();
    JsonNode instance = client.get("/instances/" + id + "?include=credentials").json();
    assertThat(instance.path("status").asText()).isEqualTo("running");
    assertThat(instance.path("connection").path("ssh_command").asText()).startsWith("ssh -p ");
    assertThat(instance.path("ready_at").asText()).isEqualTo(done.path("completed_at").asText());
    assertThat(instance.path("price_per_hour").isNumber()).isTrue();
    JsonNode renamed = client.call("PATCH", "/instances/" + id, "{\"name\": \"train 7\"}").json();
    assertThat(renamed.path("name").asText()).isEqualTo("train 7");
    assertThat(client.call("PATCH", "/instances/" + id, "{}").json().path("name").asText())
        .isEqualTo("train 7");
    assertThat(ids(client.get("/instances"))).contains(id);
    Answer ending = client.delete("/instances/" + id, "Idempotency-Key", "end-" + id);
    assertThat(ending.status()).isEqualTo(202);
    assertThat(ending.json().path("kind").asText()).isEqualTo("instance.delete");
    JsonNode ended = client.awaitEnd(ending.json());
    assertThat(ended.path("state").asText()).isEqualTo("succeeded");
    assertThat(client.delete("/instances/" + id).status()).isEqualTo(404);
    Answer replayed = client.delete("/instances/" + id, "Idempotency-Key", "end-" + id);
    assertThat(replayed.json()).isEqualTo(ending.json());
    assertThat(replayed.headers().get("operation-id"))
        .isEqualTo(ending.headers().get("operation-id"));
    JsonNode gone = client.get("/instances/" + id).json();
    assertThat(gone.path("status").asText()).isEqualTo("terminated");
    assertThat(gone.path("terminated_at").isNull()).isFalse();
    assertThat(gone.path("connection").isNull()).isTrue();
    assertThat(ids(client.get("/instances"))).doesNotContain(id);
    assertThat(ids(client.get("/instances?status=terminated"))).contains(id);
    usageIsThere(client, id);
  }

  private static void usageIsThere(GpuaiClient client, String id) {
    for (String bucket : List.of("hour", "day", "week", "month")) {
      JsonNode rows = client.get("/usage?group_by=instance_id&bucket=" + bucket).json();
      assertThat(rows.path("data").findValuesAsText("instance_id")).contains(id);
      assertThat(rows.path("data").get(0).path("gpu_type").isNull()).isTrue();
    }
    JsonNode byType = client.get("/usage?group_by=gpu_type").json().path("data").get(0);
    assertThat(byType.path("gpu_type").asText()).isEqualTo("h200");
    JsonNode all = client.get("/usage").json().path("data").get(0);
    assertThat(all.path("instance_id").isNull() && all.path("gpu_type").isNull()).isTrue();
    for (String time :
        List.of(
            "2026-05-08T00%3A00%3A00.000000%2B0000",
            "2026-05-08T00%3A00%3A00",
            "2026-05-08T00%3A00%3A00.000Z",
            "2026-05-08T02:00:00%2B02:00")) {
      assertThat(client.get("/usage?start=" + time).status()).as(time).isEqualTo(200);
    }
    assertThat(client.get("/usage?start=2026-05-08T00:00:00Z&end=2026-05-01").status())
        .isEqualTo(422);
    assertThat(client.get("/usage?bucket=year").status()).isEqualTo(422);
  }

  private static List<String> ids(Answer page) {
    return page.json().path("data").findValuesAsText("id");
  }

  @Test
  void whatCannotBeHadFailsTheOperationAndStaysInSightUntilItIsDeleted() {
    JsonNode failed = document.awaitEnd(document.create(8));
    assertThat(failed.path("state").asText()).isEqualTo("failed");
    assertThat(failed.path("error").path("code").asText()).isEqualTo("operation_failed");
    assertThat(failed.path("error").path("detail").asText()).startsWith("no_capacity");
    String id = failed.path("resource_id").asText();
    JsonNode instance = document.get("/instances/" + id).json();
    assertThat(instance.path("status").asText()).isEqualTo("error");
    assertThat(instance.path("ready_at").isNull()).isTrue();
    assertThat(ids(document.get("/instances?status=error"))).contains(id);
    assertThat(ids(document.get("/instances"))).contains(id);
    JsonNode cleared = document.awaitEnd(document.delete("/instances/" + id).json());
    assertThat(cleared.path("state").asText()).isEqualTo("succeeded");
    assertThat(document.get("/instances/" + id).json().path("status").asText())
        .isEqualTo("terminated");
    assertThat(document.delete("/instances/" + id).status()).isEqualTo(404);
    assertThat(document.get("/operations/" + failed.path("operation_id").asText()).json())
        .as("what has ended stays as it was")
        .isEqualTo(failed);
    assertThat(document.get("/usage?group_by=instance_id").json().findValuesAsText("instance_id"))
        .as("a launch that never became ready costs nothing")
        .doesNotContain(id);
  }

  @Test
  void aDeleteOvertakesTheCreate() {
    // Shows that the create operation is cancelled, and that both ends are final.
    JsonNode creation = document.create(1);
    String id = creation.path("resource_id").asText();
    Answer deletion = document.delete("/instances/" + id);
    Answer again = document.delete("/instances/" + id);
    if (again.status() == 202) {
      assertThat(again.json().path("operation_id")).isEqualTo(deletion.json().path("operation_id"));
    }
    assertThat(document.awaitEnd(deletion.json()).path("state").asText()).isEqualTo("succeeded");
    assertThat(document.awaitEnd(creation).path("state").asText()).isIn("cancelled", "succeeded");
  }

  @Test
  void theCatalogueIsForEverybody() {
    for (GpuaiClient client : List.of(document.withKey(""), sdk.withKey("nonsense"))) {
      assertThat(client.get("/health").body()).isEqualTo("{\"status\":\"ok\"}");
      JsonNode types = client.get("/gpu-types?limit=200").json();
      assertThat(types.path("data").findValuesAsText("gpu_type")).contains("h200").isSorted();
      assertThat(types.path("next_cursor").isNull()).isTrue();
      JsonNode rows = client.get("/pricing?include_unavailable=true&gpu_type=h200").json();
      assertThat(rows.path("data")).isNotEmpty();
      Set<String> tiers = new HashSet<>(rows.path("data").findValuesAsText("tier"));
      assertThat(tiers).containsExactlyInAnyOrder("spot", "on_demand");
      rows.path("data")
          .forEach(row -> {
            assertThat(row.path("gpu_count").isInt()).isTrue();
            assertThat(row.path("offering_id").asText()).isNotEmpty();
          });
    }
    assertThat(document.get("/pricing?tier=cheap").status()).isEqualTo(422);
  }

  @Test
  void pagesHoldWhateverComesAndGoes() {
    // Shows that nothing is seen twice or left out while others are added, and who may use a
    // cursor.
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(document.awaitEnd(document.create(8)).path("resource_id").asText());
    }
    Set<String> seen = new HashSet<>();
    String cursor = "";
    int pages = 0;
    do {
      Answer page = document.get("/instances?status=all&limit=2" + cursor);
      ids(page).forEach(id -> assertThat(seen.add(id)).as("once").isTrue());
      JsonNode next = page.json().path("next_cursor");
      cursor = next.isNull() ? "" : "&cursor=" + next.asText();
      if (pages++ == 0) {
        document.awaitEnd(document.create(8));
        assertThat(document.get("/instances?limit=2" + cursor).status())
            .as("a cursor is for its filters")
            .isEqualTo(422);
      }
    } while (!cursor.isEmpty());
    assertThat(seen).containsAll(made);
    assertThat(document.get("/instances?cursor=nonsense").status()).isEqualTo(422);
    for (String limit : List.of("0", "201", "x", "1.5", "-1")) {
      assertThat(document.get("/instances?limit=" + limit).status()).as(limit).isEqualTo(422);
    }
  }

  @Test
  void sshKeysComeAndGo() {
    String line = KeyPairs.make("another").publicKey().line();
    String body = "{\"name\": \"two\", \"public_key\": \"" + line.strip() + "\"}";
    Answer made = document.post("/ssh-keys", body, "Idempotency-Key", "ssh 1");
    assertThat(made.status()).isEqualTo(201);
    assertThat(document.post("/ssh-keys", body, "Idempotency-Key", "ssh 1").body())
        .isEqualTo(made.body());
    assertThat(made.json().path("fingerprint").asText()).matches("SHA256:[A-Za-z0-9+/]{43}");
    assertThat(made.body()).doesNotContain(line.split(" ")[1]);
    assertThat(document.post("/ssh-keys", body).status()).as("twice").isEqualTo(422);
    String id = made.json().path("id").asText();
    assertThat(document.get("/ssh-keys/" + id).json()).isEqualTo(made.json());
    Answer first = document.get("/ssh-keys?limit=1");
    assertThat(ids(first)).containsExactly(id);
    Answer second =
        document.get("/ssh-keys?limit=1&cursor=" + first.json().path("next_cursor").asText());
    assertThat(ids(second)).containsExactly(sshKey);
    assertThat(second.json().path("next_cursor").isNull()).isTrue();
    assertThat(document.delete("/ssh-keys/" + id).status()).isEqualTo(204);
    assertThat(document.delete("/ssh-keys/" + id).status()).isEqualTo(404);
    assertThat(document.get("/ssh-keys/" + id).status()).isEqualTo(404);
  }

  @Test
  void webhookEndpointsComeAndGo() {
    String body = "{\"url\": \"https://hooks.example.com/a\", \"event_types\":";
    Answer made =
        document.post(
            "/webhook-endpoints",
            body + "[\"instance.running\", \"instance.running\"]}",
            "Idempotency-Key",
            "hook");
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    assertThat(made.json().path("secret").asText()).matches("[0-9a-f]{64}");
    assertThat(made.json().path("event_types")).hasSize(1);
    String id = made.json().path("id").asText();
    Answer read = document.get("/webhook-endpoints/" + id);
    assertThat(read.json().has("secret")).isFalse();
    assertThat(read.json().path("enabled").asBoolean()).isTrue();
    Answer replayed =
        document.post(
            "/webhook-endpoints",
            body + "[\"instance.running\",\"instance.running\"]}",
            "Idempotency-Key",
            "hook");
    assertThat(replayed.body()).as("the secret again").isEqualTo(made.body());
    assertThat(ids(document.get("/webhook-endpoints"))).contains(id);
    for (String bad :
        List.of(
            body + "[]}",
            body + "[\"instance.renamed\"]}",
            "{\"url\": \"http://hooks.example.com/a\", \"event_types\": [\"instance.running\"]}",
            "{\"url\": \"https://127.0.0.1/a\", \"event_types\": [\"instance.running\"]}",
            "{\"url\": 7, \"event_types\": [\"instance.running\"]}",
            "{\"event_types\": [\"instance.running\"]}")) {
      assertThat(document.post("/webhook-endpoints", bad).status()).as(bad).isEqualTo(422);
    }
    assertThat(document.delete("/webhook-endpoints/" + id).status()).isEqualTo(204);
    assertThat(document.delete("/webhook-endpoints/" + id).status()).isEqualTo(404);
  }
}
