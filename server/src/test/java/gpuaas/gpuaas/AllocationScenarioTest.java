package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The story of the document: ask, wait, enter, release; and what users of queues need to know. */
class AllocationScenarioTest {

  private static TestServer server;
  private static String token;
  private static String keyId;
  private static Path privateKey;

  @BeforeAll
  static void start() throws IOException {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
    KeyPairs.Pair pair = KeyPairs.make("scenario");
    keyId = server.addKey(token, pair.publicKey().line());
    privateKey = Files.writeString(server.data().resolve("key"), pair.privateKey());
    Files.setPosixFilePermissions(privateKey, PosixFilePermissions.fromString("rw-------"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void askWaitEnterRelease() throws Exception {
    String body =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": [\""
            + keyId
            + "\"]}";
    Answer created =
        server.call(
            "POST",
            "/api/v1/allocations",
            token,
            body,
            "X-Idempotency-Key",
            "my-run-001",
            "X-Correlation-Id",
            "my-trace-001");
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.json().path("status").asText()).isEqualTo("requested");
    assertThat(created.headers()).containsEntry("x-correlation-id", "my-trace-001");
    String id = created.json().path("id").asText();
    assertThat(created.headers()).containsEntry("location", "/api/v1/allocations/" + id);

    JsonNode active = server.awaitStatus(token, id, "active");
    JsonNode connection = active.path("connection");
    assertThat(active.path("placement").path("simulated").asBoolean()).isTrue();
    Process ssh =
        new ProcessBuilder(
                "ssh",
                "-i",
                privateKey.toString(),
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "-p",
                connection.path("port").asText(),
                connection.path("username").asText() + "@" + connection.path("host").asText(),
                "echo out; echo err >&2; exit 7")
            .start();
    assertThat(new String(ssh.getInputStream().readAllBytes())).isEqualTo("out\n");
    assertThat(new String(ssh.getErrorStream().readAllBytes())).isEqualTo("err\n");
    assertThat(ssh.waitFor()).isEqualTo(7);

    Answer timeline = server.call("GET", "/api/v1/allocations/" + id + "/timeline", token, "");
    assertThat(timeline.json().path("items").findValuesAsText("step"))
        .containsExactly(
            "requested",
            "placement_reserved",
            "provisioning_started",
            "guest_booting",
            "ssh_ready",
            "active");
    assertThat(timeline.json().path("items").findValuesAsText("correlation_id"))
        .containsOnly("my-trace-001");

    Answer released =
        server.call(
            "POST",
            "/api/v1/allocations/" + id + "/release",
            token,
            "",
            "X-Idempotency-Key",
            "my-release-001");
    assertThat(released.status()).isEqualTo(202);
    assertThat(released.json().path("status").asText()).isEqualTo("releasing");
    server.awaitStatus(token, id, "released");
    Answer again = server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    assertThat(again.status()).as("releasing again is safe").isEqualTo(202);
  }

  @Test
  void whatDoesNotFitNowWaitsAndSaysWhyAndIsPlacedInTurn() {
    String whole = server.allocate(token, 8, keyId);
    server.awaitStatus(token, whole, "active");
    String waiting = server.allocate(token, 2, keyId);
    JsonNode view = server.awaitStatus(token, waiting, "requested");
    assertThat(view.path("waiting").path("position").asInt()).isEqualTo(1);
    assertThat(view.path("waiting").path("reason").asText()).contains("0 of 8 H200 GPUs are free");
    server.call("POST", "/api/v1/allocations/" + whole + "/release", token, "");
    server.awaitStatus(token, waiting, "active");
    server.call("POST", "/api/v1/allocations/" + waiting + "/release", token, "");
    server.awaitStatus(token, waiting, "released");
  }

  @Test
  void aWaitingAllocationIsReleasedAtOnce() {
    String whole = server.allocate(token, 8, keyId);
    server.awaitStatus(token, whole, "active");
    String waiting = server.allocate(token, 8, keyId);
    Answer released = server.call("POST", "/api/v1/allocations/" + waiting + "/release", token, "");
    assertThat(released.json().path("status").asText()).isEqualTo("released");
    server.call("POST", "/api/v1/allocations/" + whole + "/release", token, "");
    server.awaitStatus(token, whole, "released");
  }

  @Test
  void whatCanNeverFitIsRefusedAtOnce() {
    String body =
        "{\"sku\": \"mi300x\", \"gpus_total\": 8, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": []}";
    Answer refused = server.call("POST", "/api/v1/allocations", token, body);
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.json().path("code").asText()).isEqualTo("sku_unavailable");
  }
}
