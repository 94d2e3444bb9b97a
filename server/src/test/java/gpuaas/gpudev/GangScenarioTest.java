package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs of several nodes, as the original's command line sends them: one job for each. */
class GangScenarioTest {

  private TestServer server;
  private String key;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_GANG_WAIT", "15s"));
    key = server.apiKey("full_access");
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private JsonNode call(String method, String path, String body) {
    Map<String, String> headers =
        Map.of("Authorization", "Bearer " + key, "Content-Type", "application/json");
    Answer answer = TestServer.send(method, server.gpudevUrl() + path, headers, body);
    GpudevContract.check(method, path, answer);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json();
  }

  private String submit(String name) {
    String id = UUID.randomUUID().toString();
    call(
        "POST",
        "/v1/jobs/submit",
        "{\"image\": \"pytorch\", \"instance_type\": \"p5e.48xlarge\", \"duration_hours\": 1,"
            + " \"env_vars\": {\"RESERVATION_ID\": \""
            + id
            + "\", \"GPU_TYPE\": \"H200\", \"GPU_COUNT\": \"1\", \"POD_NAME\": \""
            + name
            + "\"}}");
    return id;
  }

  private JsonNode job(String id) {
    return call("GET", "/v1/jobs/" + id, "");
  }

  @Test
  void aGangWaitsForItsNodesSaysSoAndFailsWhenTheyNeverCome() {
    String first = submit("train - Node 1/3");
    String second = submit("train - Node 2/3");
    JsonNode job = job(second);
    assertThat(job.path("status").asText()).isEqualTo("queued");
    assertThat(job.path("gang").asText()).isEqualTo("train");
    assertThat(job.path("node_index").asInt()).isEqualTo(1);
    assertThat(job.path("total_nodes").asInt()).isEqualTo(3);
    assertThat(job.path("master_reservation_id").asText()).isEqualTo(first);
    assertThat(job.path("current_detailed_status").asText())
        .isEqualTo("Its gang is incomplete: 2/3 were asked for.");
    Eventually.within(
        Duration.ofSeconds(60),
        "both have failed",
        () ->
            job(first).path("status").asText().equals("failed")
                && job(second).path("status").asText().equals("failed"));
    assertThat(job(first).path("failure_reason").asText())
        .isEqualTo("its gang was not complete in time: 2 of 3 nodes were asked for");
  }

  @Test
  void whenOneIsCancelledAllAreAndOthersShowNothingOfGangs() {
    String first = submit("train - Node 1/2");
    String alone = submit("alone");
    call("POST", "/v1/jobs/" + first + "/cancel", "");
    assertThat(job(alone).has("gang")).isFalse();
    assertThat(job(alone).has("total_nodes")).isFalse();
    Eventually.within(
        Duration.ofSeconds(30),
        "it is cancelled",
        () -> job(first).path("status").asText().equals("cancelled"));
  }
}
