package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Calls of the GPU Dev API; every answer is held against its contract. */
final class JobClient {

  private static final Duration SOON = Duration.ofSeconds(60);

  private final String url;
  private final String key;

  JobClient(TestServer server, String key) {
    this(server.gpudevUrl(), key);
  }

  JobClient(String url, String key) {
    this.url = url;
    this.key = key;
  }

  Answer call(String method, String path, String body) {
    Map<String, String> headers = new HashMap<>(Map.of("Authorization", "Bearer " + key));
    if (!body.isEmpty()) {
      headers.put("Content-Type", "application/json");
    }
    Answer answer = TestServer.send(method, url + path, headers, body);
    GpudevContract.check(method, path, answer);
    return answer;
  }

  /** The same without a look at the contract, which knows JSON only. */
  Answer raw(String path, String accept) {
    return TestServer.send(
        "GET", url + path, Map.of("Authorization", "Bearer " + key, "Accept", accept), "");
  }

  JsonNode fine(String method, String path, String body) {
    Answer answer = call(method, path, body);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json();
  }

  /** A job with one GPU, an hour, and this besides; its id. */
  String submit(Map<String, Object> more, Map<String, String> variables) {
    var body = new ObjectMapper().createObjectNode();
    body.put("image", "i").put("instance_type", "p5e.48xlarge").put("duration_hours", 1);
    more.forEach((name, value) -> body.set(name, new ObjectMapper().valueToTree(value)));
    body.set("env_vars", new ObjectMapper().valueToTree(variables));
    return fine("POST", "/v1/jobs/submit", body.toString()).path("job_id").asText();
  }

  JsonNode job(String id) {
    return fine("GET", "/v1/jobs/" + id, "");
  }

  JsonNode await(String id, String status) {
    try {
      Eventually.within(
          SOON, "the job is " + status, () -> job(id).path("status").asText().equals(status));
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + ", but " + job(id), late);
    }
    return job(id);
  }

  /** Runs a command inside, by SSH as the job says. */
  Shell.Ran inside(String id, Path privateKey, String command) throws Exception {
    String[] at = await(id, "active").path("ssh_command").asText().split("[ @]");
    JsonNode connection =
        new ObjectMapper()
            .createObjectNode()
            .put("host", at[4])
            .put("port", at[2])
            .put("username", at[3]);
    return Shell.inside(connection, privateKey, command);
  }
}
