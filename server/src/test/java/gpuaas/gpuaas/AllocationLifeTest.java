package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Restart, groups, and what those who run the platform can do, on a real machine. */
class AllocationLifeTest {

  private static TestServer server;
  private static String token;
  private static String admin;
  private static String keyId;
  private static Path privateKey;

  @BeforeAll
  static void start() throws IOException {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "4xH200"));
    token = server.token("dev-user", "dev123");
    admin = server.token("dev-admin", "admin123");
    KeyPairs.Pair pair = KeyPairs.make("life");
    keyId = server.addKey(token, pair.publicKey().line());
    privateKey = Shell.keyFile(server.data(), pair);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer post(String by, String path, String body) {
    return server.call("POST", "/api/v1" + path, by, body);
  }

  private static JsonNode get(String by, String path) {
    return server.call("GET", "/api/v1" + path, by, "").json();
  }

  private static List<String> steps(String id) {
    return get(token, "/allocations/" + id + "/timeline").path("items").findValuesAsText("step");
  }

  @Test
  void aRestartKeepsTheFilesAndTheAddressAndIsNotCharged() throws Exception {
    String id = server.allocate(token, 1, keyId);
    JsonNode before = server.awaitStatus(token, id, "active");
    JsonNode connection = before.path("connection");
    Shell.inside(connection, privateKey, "echo kept > file; (sleep 4321 >/dev/null 2>&1 &)");
    Answer asked = post(token, "/allocations/" + id + "/restart", "");
    assertThat(asked.status()).as(asked.body()).isEqualTo(202);
    assertThat(asked.json().path("status").asText()).isEqualTo("provisioning");
    JsonNode after = server.awaitStatus(token, id, "active");
    assertThat(after.path("connection")).isEqualTo(connection);
    assertThat(after.path("placement")).isEqualTo(before.path("placement"));
    assertThat(Shell.inside(connection, privateKey, "cat file; cat /proc/[0-9]*/cmdline").out())
        .startsWith("kept\n")
        .doesNotContain("4321");
    assertThat(steps(id)).endsWith("active", "restarting", "ssh_ready", "active");
    post(token, "/allocations/" + id + "/release", "");
    server.awaitStatus(token, id, "released");
    Answer late = post(token, "/allocations/" + id + "/restart", "");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().path("code").asText()).isEqualTo("allocation_invalid_state");
  }

  @Test
  void aGroupIsAskedForAndReleasedAsOne() {
    String body =
        """
        {"name": "train", "allocations_total": 2, "sku": "h200-sxm-slice", "gpus_total": 1,
         "region_code": "us-buffalo-1", "ssh_key_ids": ["%s"]}
        """
            .formatted(keyId);
    Answer made = post(token, "/allocation-groups", body);
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    String group = "/allocation-groups/" + made.json().path("id").asText();
    Eventually.within(
        Duration.ofSeconds(20),
        "the group is active",
        () -> get(token, group).path("status").asText().equals("active"));
    JsonNode active = get(token, group);
    assertThat(active.path("gpus_total").asInt()).isEqualTo(2);
    List<String> members = new ArrayList<>(active.path("allocations").findValuesAsText("id"));
    JsonNode listed =
        get(token, "/allocations?status=active&group_id=" + active.path("id").asText());
    assertThat(listed.path("items").findValuesAsText("id"))
        .containsExactlyInAnyOrderElementsOf(members);
    assertThat(post(token, group + "/release", "").status()).isEqualTo(202);
    Eventually.within(
        Duration.ofSeconds(20),
        "the group is released",
        () -> get(token, group).path("status").asText().equals("released"));
  }

  @Test
  void anAdministratorSeesEverybodysAndEndsThemWithAReason() {
    String id = server.allocate(token, 1, keyId);
    server.awaitStatus(token, id, "active");
    assertThat(get(admin, "/admin/allocations?status=active&sku=h200-sxm-slice").path("items"))
        .extracting(item -> item.path("id").asText())
        .contains(id);
    JsonNode seen = get(admin, "/admin/allocations/" + id);
    assertThat(seen.path("cleanup").path("status").asText()).isEqualTo("none");
    assertThat(seen.path("cleanup").path("gpu_ids")).hasSize(1);
    Answer early =
        post(
            admin,
            "/admin/allocations/" + id + "/force-cleanup",
            "{\"runtime_verified_absent\": true, \"evidence\": \"I looked\"}");
    assertThat(early.status()).isEqualTo(409);
    assertThat(early.json().path("code").asText()).isEqualTo("allocation_invalid_state");
    Answer ended =
        post(admin, "/admin/allocations/" + id + "/force-release", "{\"reason\": \"mines coins\"}");
    assertThat(ended.status()).as(ended.body()).isEqualTo(202);
    server.awaitStatus(token, id, "released");
    assertThat(get(admin, "/admin/allocations/" + id).path("cleanup").path("status").asText())
        .isEqualTo("proven");
    JsonNode trail = get(admin, "/admin/audit-logs?target_id=" + id);
    assertThat(trail.path("items"))
        .anySatisfy(entry -> {
          assertThat(entry.path("action").asText()).isEqualTo("allocation.force_release");
          assertThat(entry.path("metadata").path("words").asText()).isEqualTo("mines coins");
        });
    assertThat(post(token, "/admin/allocations/" + id + "/force-release", "").status())
        .isEqualTo(403);
  }
}
