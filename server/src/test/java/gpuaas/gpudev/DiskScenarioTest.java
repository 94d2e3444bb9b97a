package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks through the documents' calls, on real pools of this machine. */
class DiskScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private final DatabaseSettings database = TestDatabase.settings();
  private Path data;
  private TestServer server;
  private String key;
  private Path privateKey;

  @BeforeEach
  void start() throws Exception {
    data = Files.createTempDirectory("gpuaas-disks");
    server = serve();
    key = server.apiKey("full_access");
    KeyPairs.Pair pair = KeyPairs.make("mine");
    server.addKey(
        server.token("dev-user", "dev123"),
        pair.publicKey().type() + " " + pair.publicKey().blob());
    privateKey = Shell.keyFile(folder, pair);
  }

  private TestServer serve() throws Exception {
    return TestServer.start(
        data,
        Database.open(database),
        Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local", "GPUAAS_PROVIDER_LOCAL_DISK_POOL_GIB", "12"));
  }

  @AfterEach
  void stop() throws Exception {
    for (JsonNode job : fine("GET", "/v1/jobs?status=active,preparing,queued", "").path("jobs")) {
      end(job.path("job_id").asText());
    }
    server.close();
    new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
  }

  private Answer call(String method, String path, String body) {
    Map<String, String> headers = new HashMap<>(Map.of("Authorization", "Bearer " + key));
    if (!body.isEmpty()) {
      headers.put("Content-Type", "application/json");
    }
    Answer answer = TestServer.send(method, server.gpudevUrl() + path, headers, body);
    GpudevContract.check(method, path, answer);
    return answer;
  }

  private JsonNode fine(String method, String path, String body) {
    Answer answer = call(method, path, body);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json();
  }

  private void refused(Answer answer, int status, String detail) {
    assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
    assertThat(answer.json().path("detail").asText()).isEqualTo(detail);
  }

  private static String wanted(String disk) {
    return "{\"image\": \"i\", \"instance_type\": \"p5e.48xlarge\", \"duration_hours\": 1"
        + (disk.isEmpty() ? "" : ", \"disk_name\": \"" + disk + "\"")
        + "}";
  }

  private String submit(String disk) {
    return fine("POST", "/v1/jobs/submit", wanted(disk)).path("job_id").asText();
  }

  private JsonNode await(String id, String status) {
    Eventually.within(
        SOON,
        "the job is " + status,
        () -> {
          JsonNode job = fine("GET", "/v1/jobs/" + id, "");
          assertThat(job.path("status").asText()).as(job.toString()).isNotEqualTo("failed");
          return job.path("status").asText().equals(status);
        });
    return fine("GET", "/v1/jobs/" + id, "");
  }

  private String inside(String id, String command) throws Exception {
    String[] at = await(id, "active").path("ssh_command").asText().split("[ @]");
    JsonNode connection =
        new ObjectMapper()
            .createObjectNode()
            .put("host", at[4])
            .put("port", at[2])
            .put("username", at[3]);
    Shell.Ran ran = Shell.inside(connection, privateKey, command);
    assertThat(ran.exit()).as(ran.toString()).isZero();
    return ran.out().strip();
  }

  private void end(String id) {
    fine("POST", "/v1/jobs/" + id + "/cancel", "");
    Eventually.within(
        SOON,
        "it is quite gone",
        () ->
            server
                .call("GET", "/api/v1/allocations/" + id, server.token("dev-user", "dev123"), "")
                .json()
                .path("status")
                .asText()
                .matches("released|failed"));
  }

  private JsonNode disk(String name) {
    return fine("GET", "/v1/disks/" + name, "");
  }

  private void awaitOperation(JsonNode asked, String status) {
    String path =
        "/v1/disks/"
            + asked.path("disk_name").asText()
            + "/operations/"
            + asked.path("operation_id").asText();
    Eventually.within(
        SOON, "the operation is over", () -> fine("GET", path, "").path("completed").asBoolean());
    JsonNode over = fine("GET", path, "");
    assertThat(over.path("status").asText()).as(over.toString()).isEqualTo(status);
  }

  private List<String> names() {
    return StreamSupport.stream(fine("GET", "/v1/disks", "").path("disks").spliterator(), false)
        .map(disk -> disk.path("disk_name").asText())
        .toList();
  }

  @Test
  void whatIsOnADiskOutlivesItsJobs() throws Exception {
    // Made, used as home folder, kept with a listing when the job ends, used again, cloned.
    JsonNode made = fine("POST", "/v1/disks", "{\"disk_name\": \"train_1\", \"size_gb\": 10}");
    assertThat(made.path("action").asText()).isEqualTo("create");
    assertThat(made.path("message").asText())
        .isEqualTo("Disk creation request queued successfully");
    awaitOperation(made, "completed");
    JsonNode fresh = disk("train_1");
    assertThat(fresh.path("size_gb").asInt()).isEqualTo(10);
    assertThat(fresh.path("in_use").asBoolean()).isFalse();
    assertThat(fresh.path("snapshot_count").asInt()).isZero();
    JsonNode empty = fine("GET", "/v1/disks/train_1/content", "");
    assertThat(empty.path("content").isNull()).isTrue();
    assertThat(empty.path("message").asText()).startsWith("No snapshot contents available.");

    String first = submit("train_1");
    assertThat(inside(first, "mkdir results && echo 42 > results/loss && df -h ~ | tail -1"))
        .isNotEmpty();
    JsonNode used = disk("train_1");
    assertThat(used.path("in_use").asBoolean()).isTrue();
    assertThat(used.path("reservation_id").asText()).isEqualTo(first);
    assertThat(fine("GET", "/v1/jobs/" + first, "").path("disk_name").asText())
        .isEqualTo("train_1");
    end(first);
    Eventually.within(
        SOON, "it is kept", () -> disk("train_1").path("snapshot_count").asInt() == 1);
    JsonNode after = disk("train_1");
    assertThat(after.path("in_use").asBoolean()).isFalse();
    assertThat(after.path("reservation_id").isNull()).isTrue();
    assertThat(after.path("last_used").asText()).endsWith("+00:00");
    assertThat(fine("GET", "/v1/disks/train_1/content", "").path("content").asText())
        .contains("/home/dev\n---\n")
        .contains("loss");

    String second = submit("train_1");
    assertThat(inside(second, "cat results/loss")).isEqualTo("42");
    awaitOperation(
        fine("POST", "/v1/disks/train_1/clone", "{\"new_name\": \"copy\"}"), "completed");
    String third = submit("copy");
    assertThat(inside(third, "cat results/loss && echo 7 > results/loss")).isEqualTo("42");
    assertThat(inside(second, "cat results/loss")).isEqualTo("42");
  }

  @Test
  void aDiskInUseIsNobodyElses() throws Exception {
    // It cannot be taken, renamed or deleted; the disk that every job gets is not waited for.
    String holder = submit("");
    await(holder, "active");
    assertThat(disk("default").path("reservation_id").asText()).isEqualTo(holder);
    String use = " - it is currently in use by reservation " + holder;
    refused(call("DELETE", "/v1/disks/default", ""), 409, "Cannot delete disk 'default'" + use);
    refused(
        call("POST", "/v1/disks/default/rename", "{\"new_name\": \"x\"}"),
        409,
        "Cannot rename disk 'default'" + use);
    assertThat(call("POST", "/v1/jobs/submit", wanted("default")).status()).isEqualTo(409);
    String other = submit("");
    JsonNode without = await(other, "active");
    assertThat(without.has("disk_name")).isFalse();
    assertThat(without.path("warning").asText()).contains("in use by reservation " + holder);
    assertThat(await(submit("none"), "active").has("warning")).isFalse();

    // Whatever becomes of this server, nothing is stuck: who is gone holds nothing.
    server.close();
    server = serve();
    assertThat(disk("default").path("in_use").asBoolean()).isTrue();
    end(holder);
    assertThat(disk("default").path("in_use").asBoolean()).isFalse();
  }

  @Test
  void namesAndDeletion() {
    JsonNode made = fine("POST", "/v1/disks", "{\"disk_name\": \"old\"}");
    awaitOperation(made, "completed");
    refused(
        call("POST", "/v1/disks", "{\"disk_name\": \"a b\"}"),
        400,
        "Disk name must contain only letters, numbers, hyphens, and underscores");
    // Asked for again, it is the same.
    assertThat(fine("POST", "/v1/disks", "{\"disk_name\": \"old\"}").path("operation_id"))
        .isEqualTo(made.path("operation_id"));
    assertThat(
            call("POST", "/v1/disks", "{\"disk_name\": \"x\", \"size_gb\": -1}")
                .json()
                .path("detail")
                .path(0)
                .path("type")
                .asText())
        .isEqualTo("greater_than_equal");
    refused(call("GET", "/v1/disks/none", ""), 404, "Disk 'none' not found");
    refused(call("DELETE", "/v1/disks/none", ""), 404, "Disk 'none' not found");
    String some = UUID.randomUUID().toString();
    refused(
        call("GET", "/v1/disks/old/operations/" + some, ""),
        404,
        "Operation '" + some + "' not found for disk 'old'");

    JsonNode renamed = fine("POST", "/v1/disks/old/rename", "{\"new_name\": \"new-1\"}");
    assertThat(renamed.path("message").asText())
        .isEqualTo("Disk renamed from 'old' to 'new-1' (no snapshots found)");
    assertThat(renamed.path("snapshots_updated").asInt()).isZero();
    awaitOperation(fine("POST", "/v1/disks/new-1/snapshot", ""), "completed");
    assertThat(
            fine("POST", "/v1/disks/new-1/rename", "{\"new_name\": \"n\"}")
                .path("message")
                .asText())
        .endsWith("(1 snapshots updated)");
    refused(
        call("POST", "/v1/disks/n/rename", "{\"new_name\": \"n\"}"),
        409,
        "Disk 'n' already exists");

    String day = LocalDate.now(ZoneOffset.UTC).plusDays(30).toString();
    JsonNode deleted = fine("DELETE", "/v1/disks/n", "");
    assertThat(deleted.path("message").asText())
        .isEqualTo("Disk deletion request queued successfully. Will be deleted on " + day);
    awaitOperation(deleted, "completed");
    assertThat(names()).isEmpty();
    assertThat(disk("n").path("is_deleted").asBoolean()).isTrue();
    refused(
        call("POST", "/v1/disks/n/rename", "{\"new_name\": \"m\"}"),
        410,
        "Cannot rename disk 'n' - it is marked for deletion");
    refused(call("GET", "/v1/disks/n/content", ""), 410, "Disk 'n' is marked for deletion");
    refused(call("POST", "/v1/disks", "{\"disk_name\": \"n\"}"), 409, "Disk 'n' already exists");
    fine("POST", "/v1/disks/n/undelete", "");
    assertThat(names()).containsExactly("n");
  }
}
