package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the original's command line does, call by call, against real environments. */
class JobScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private GithubFake github;
  private TestServer server;
  private String key;

  @BeforeEach
  void start() throws Exception {
    github = new GithubFake();
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
                "GPUAAS_GITHUB_URL", github.url(),
                "GPUAAS_GITHUB_RECHECK_EVERY", "1s",
                "GPUAAS_GITHUB_RETRY_AFTER", "1s",
                "GPUAAS_SSH_RECHECK_EVERY", "1s"));
    key = server.apiKey("full_access");
  }

  @AfterEach
  void stop() {
    server.close();
    github.close();
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

  private JsonNode job(String id) {
    return fine("GET", "/v1/jobs/" + id, "");
  }

  private JsonNode await(String id, String status) {
    Eventually.within(
        SOON, "the job is " + status, () -> job(id).path("status").asText().equals(status));
    return job(id);
  }

  private static String submission(String id, int gpus, String more) {
    return "{\"image\": \"pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime\", \"instance_type\":"
        + " \"p5e.48xlarge\", \"duration_hours\": 4, \"env_vars\": {\"RESERVATION_ID\": \""
        + id
        + "\", \"GPU_TYPE\": \"H200\", \"GPU_COUNT\": \""
        + gpus
        + "\""
        + more
        + "}}";
  }

  private String submit(int gpus, String more) {
    String id = UUID.randomUUID().toString();
    fine("POST", "/v1/jobs/submit", submission(id, gpus, more));
    return id;
  }

  private static JsonNode connection(JsonNode job) {
    String[] at = job.path("ssh_command").asText().split("[ @]");
    return new ObjectMapper()
        .createObjectNode()
        .put("host", at[4])
        .put("port", at[2])
        .put("username", at[3]);
  }

  private static boolean opens(JsonNode job, Path file) {
    try {
      return Shell.inside(connection(job), file, "true").exit() == 0;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aJobFromSubmissionToItsEnd() throws Exception {
    // As reserve does it: an id of the client's own, keys from GitHub, polled until it is active.
    KeyPairs.Pair pair = KeyPairs.make("mine");
    github.keys.put("jane", pair.publicKey().type() + " " + pair.publicKey().blob() + "\n");
    String id = UUID.randomUUID().toString();
    String body =
        submission(
            id,
            2,
            ", \"GITHUB_USER\": \"jane\", \"POD_NAME\": \"my run\", \"EXPERIMENT\": \"v 1\","
                + " \"NUMBER\": 7");
    JsonNode submitted = fine("POST", "/v1/jobs/submit", body);
    assertThat(submitted.path("job_id").asText()).isEqualTo(id);
    assertThat(submitted.path("status").asText()).isEqualTo("queued");
    assertThat(submitted.path("message").asText())
        .matches("Job submitted successfully to queue \\(message ID: [1-9][0-9]*\\)");
    assertThat(submitted.path("estimated_start_time").isNull()).isTrue();
    // The same again is the same.
    assertThat(fine("POST", "/v1/jobs/submit", body).path("job_id").asText()).isEqualTo(id);

    JsonNode active = await(id, "active");
    for (String name :
        List.of(
            "job_id",
            "reservation_id",
            "user_id",
            "status",
            "gpu_type",
            "gpu_count",
            "instance_type",
            "duration_hours",
            "created_at",
            "expires_at",
            "name",
            "pod_name",
            "node_ip",
            "node_port",
            "ssh_command",
            "jupyter_enabled",
            "jupyter_url",
            "jupyter_token",
            "github_user")) {
      assertThat(active.has(name)).as(name).isTrue();
    }
    assertThat(active.path("gpu_type").asText()).isEqualTo("h200");
    assertThat(active.path("gpu_count").asInt()).isEqualTo(2);
    assertThat(active.path("duration_hours").asDouble()).isEqualTo(4.0);
    assertThat(active.path("name").asText()).isEqualTo("my run");
    assertThat(active.path("pod_name").asText()).isEqualTo("gpu-dev-" + id.substring(0, 8));
    assertThat(active.path("github_user").asText()).isEqualTo("jane");
    assertThat(active.path("created_at").asText())
        .matches("[0-9-]{10}T[0-9:]{8}(\\.[0-9]{6})?\\+00:00");
    Path file = Shell.keyFile(folder, pair);
    Eventually.within(SOON, "Jane's key opens it", () -> opens(active, file));
    Shell.Ran ran =
        Shell.inside(connection(active), file, "echo $EXPERIMENT $NUMBER; ls -d /dev/null");
    assertThat(ran.out()).startsWith("v 1 7\n");

    // It is a lease like any other, and shows elsewhere.
    assertThat(
            server
                .call("GET", "/api/v1/allocations/" + id, server.token("dev-user", "dev123"), "")
                .status())
        .isEqualTo(200);
    JsonNode there = fine("GET", "/v1/gpu/availability", "").path("availability").path("h200");
    assertThat(there.path("total").asInt()).isEqualTo(8);
    assertThat(there.path("in_use").asInt()).isEqualTo(2);
    assertThat(there.path("available").asInt()).isEqualTo(6);
    JsonNode cluster = fine("GET", "/v1/cluster/status", "");
    assertThat(cluster.path("active_reservations").asInt()).isEqualTo(1);
    assertThat(cluster.path("by_gpu_type").path("h200").path("max_per_node").asInt()).isEqualTo(8);

    JsonNode cancelled = fine("POST", "/v1/jobs/" + id.substring(0, 8) + "/cancel", "");
    assertThat(cancelled.path("job_id").asText()).isEqualTo(id.substring(0, 8));
    assertThat(cancelled.path("action").asText()).isEqualTo("cancel");
    assertThat(cancelled.path("message").asText()).startsWith("Cancellation request submitted (");
    await(id, "cancelled");
  }

  @Test
  void anExtensionIsSeenAfterALook() throws Exception {
    // The client takes its first look for what it was before.
    String id = submit(1, "");
    OffsetDateTime end = OffsetDateTime.parse(await(id, "active").path("expires_at").asText());
    JsonNode asked = fine("POST", "/v1/jobs/" + id + "/extend", "{\"extension_hours\": 2}");
    assertThat(asked.path("message").asText())
        .startsWith("Extension request submitted for 2 hours (message ID: ");
    JsonNode first = job(id);
    assertThat(OffsetDateTime.parse(first.path("expires_at").asText())).isEqualTo(end);
    assertThat(first.path("duration_hours").asDouble()).isEqualTo(4.0);
    Eventually.within(
        SOON,
        "the new end is seen",
        () -> OffsetDateTime.parse(job(id).path("expires_at").asText()).isEqual(end.plusHours(2)));
    assertThat(job(id).path("duration_hours").asDouble()).isEqualTo(6.0);

    fine("POST", "/v1/jobs/" + id + "/extend", "{\"extension_hours\": 72}");
    assertThat(job(id).path("extension_error").asText()).contains("78.0 hours").contains("48");
    fine("POST", "/v1/jobs/" + id + "/extend", "{\"extension_hours\": 1}");
    assertThat(job(id).has("extension_error")).isFalse();
  }

  @Test
  @DisplayName("S8: keys of a GitHub account are looked at again, and a removed one is removed")
  void colleaguesComeAndGo() throws Exception {
    // Keys of a colleague open it, a key that vanishes closes it, a source that is away does not.
    KeyPairs.Pair pair = KeyPairs.make("theirs");
    String line = pair.publicKey().type() + " " + pair.publicKey().blob();
    String id = submit(1, "");
    JsonNode active = await(id, "active");
    assertThat(active.has("secondary_users")).isFalse();
    Path file = Shell.keyFile(folder, pair);
    assertThat(Shell.inside(connection(active), file, "true").exit()).isNotZero();

    github.keys.put("joe-1", "ssh-unknown AAAA\n" + line + " joe\n");
    JsonNode added = fine("POST", "/v1/jobs/" + id + "/users", "{\"github_username\": \"joe-1\"}");
    assertThat(added.path("message").asText())
        .startsWith("Add user request submitted for GitHub user 'joe-1' (message ID: ");
    Eventually.within(
        SOON, "Joe is in", () -> job(id).path("secondary_users").path(0).asText().equals("joe-1"));
    assertThat(Shell.inside(connection(active), file, "echo hi").out()).isEqualTo("hi\n");

    github.down = true;
    fine("POST", "/v1/jobs/" + id + "/users", "{\"github_username\": \"nobody\"}");
    assertThat(Shell.inside(connection(active), file, "true").exit()).isZero();
    github.down = false;
    Process open = new ProcessBuilder(Shell.ssh(connection(active), file, "cat")).start();
    open.getOutputStream().write('x');
    open.getOutputStream().flush();
    assertThat(open.getInputStream().read()).isEqualTo('x');
    github.keys.put("joe-1", "");
    Eventually.within(SOON, "a key that vanished opens nothing", () -> !opens(active, file));
    assertThat(open.waitFor(20, TimeUnit.SECONDS)).as("what it had opened closes").isTrue();
    assertThat(job(id).has("secondary_users")).isFalse();
  }

  @Test
  void theQueueSaysWhy() throws Exception {
    // Six of eight are taken: four more wait, with position and reason, and start when there is
    // room.
    String first = submit(4, "");
    await(first, "active");
    String big = submit(8, "");
    JsonNode waiting = job(big);
    assertThat(waiting.path("status").asText()).isEqualTo("queued");
    assertThat(waiting.path("queue_position").asInt()).isEqualTo(1);
    assertThat(waiting.path("estimated_wait_minutes").asInt()).isBetween(235, 241);
    assertThat(waiting.path("ssh_command").isNull()).isTrue();
    JsonNode there = fine("GET", "/v1/gpu/availability", "").path("availability").path("h200");
    assertThat(there.path("queued").asInt()).isEqualTo(8);

    assertThat(ids("?status=active,preparing")).containsExactly(first);
    assertThat(ids("?status=queued%2Cpending")).containsExactly(big);
    assertThat(ids("?status=failed")).isEmpty();
    assertThat(ids("")).containsExactly(big, first);
    JsonNode part = fine("GET", "/v1/jobs?limit=1&offset=1", "");
    assertThat(part.path("total").asInt()).isEqualTo(2);
    assertThat(part.path("jobs").path(0).path("job_id").asText()).isEqualTo(first);

    fine("POST", "/v1/jobs/" + first + "/cancel", "");
    await(big, "active");
    assertThat(ids("?status=cancelled")).containsExactly(first);
  }

  @Test
  void whoHasAHigherPriorityComesFirst() throws Exception {
    String first = submit(8, "");
    await(first, "active");
    String usual = submit(8, "");
    String low = submit(8, ", \"PRIORITY\": -5");
    String late = submit(8, "");
    assertThat(job(late).path("queue_position").asInt()).isEqualTo(2);
    assertThat(job(low).path("queue_position").asInt()).isEqualTo(3);
    Answer pushing =
        call(
            "POST",
            "/v1/jobs/submit",
            submission(UUID.randomUUID().toString(), 1, ", \"PRIORITY\": 1"));
    assertThat(pushing.status()).isEqualTo(403);
    Answer odd =
        call(
            "POST",
            "/v1/jobs/submit",
            submission(UUID.randomUUID().toString(), 1, ", \"PRIORITY\": \"x\""));
    assertThat(odd.status()).isEqualTo(400);
    String mine = key;
    key = keyOf("dev-admin", "admin123");
    String urgent = submit(8, ", \"PRIORITY\": 50");
    assertThat(job(urgent).path("queue_position").asInt()).isEqualTo(1);
    fine("POST", "/v1/jobs/" + urgent + "/cancel", "");
    key = mine;
    fine("POST", "/v1/jobs/" + first + "/cancel", "");
    await(usual, "active");
    fine("POST", "/v1/jobs/" + usual + "/cancel", "");
    await(late, "active");
    assertThat(job(low).path("status").asText()).isEqualTo("queued");
  }

  private List<String> ids(String query) {
    return StreamSupport.stream(
            fine("GET", "/v1/jobs" + query, "").path("jobs").spliterator(), false)
        .map(job -> job.path("job_id").asText())
        .toList();
  }

  @Test
  void namesAreIdsToo() {
    // An id need not be a UUID; somebody else's job is not one's own.
    fine("POST", "/v1/jobs/submit", submission("nightly.run-7", 1, ""));
    assertThat(job("nightly.run-7").path("reservation_id").asText()).isEqualTo("nightly.run-7");
    assertThat(job("nightly").path("job_id").asText()).isEqualTo("nightly.run-7");
    String id = submit(1, "");
    String mine = key;
    key = keyOf("dev-admin", "admin123");
    Answer foreign = call("GET", "/v1/jobs/" + id, "");
    assertThat(foreign.status()).isEqualTo(403);
    assertThat(foreign.json().path("detail").asText()).isEqualTo("You can only view your own jobs");
    Answer cancel = call("POST", "/v1/jobs/" + id + "/cancel", "");
    assertThat(cancel.json().path("detail").asText())
        .isEqualTo("Not authorized to cancel this job");
    assertThat(call("POST", "/v1/jobs/submit", submission(id, 1, "")).status()).isEqualTo(409);
    assertThat(call("GET", "/v1/jobs/nightly.run-7", "").status()).isEqualTo(404);
    key = mine;
    assertThat(job(id).path("status").asText()).isNotEqualTo("cancelled");
  }

  private String keyOf(String user, String password) {
    String token = server.token(user, password);
    Answer made =
        server.call(
            "POST", "/api/v1/api-keys", token, "{\"name\": \"x\", \"scopes\": [\"full_access\"]}");
    return made.json().path("key").asText();
  }

  @Test
  void aKeyIsRotated() {
    JsonNode fresh = fine("POST", "/v1/keys/rotate", "");
    assertThat(fresh.path("api_key").asText()).hasSize(86);
    assertThat(fresh.path("key_prefix").asText())
        .isEqualTo(fresh.path("api_key").asText().substring(0, 8));
    assertThat(fresh.path("user_id").isInt()).isTrue();
    assertThat(fresh.path("username").asText()).isEqualTo("dev-user");
    String old = key;
    key = fresh.path("api_key").asText();
    assertThat(fine("GET", "/v1/jobs", "").path("total").asInt()).isZero();
    key = old;
    assertThat(fine("GET", "/v1/jobs", "").path("total").asInt()).isZero();
  }
}
