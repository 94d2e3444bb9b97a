package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every request of the document, in its order and with its bodies, on real environments. */
class DocumentScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(90);

  private GithubFake github;
  private TestServer server;
  private JobClient client;

  @BeforeEach
  void start() throws Exception {
    github = new GithubFake();
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
                "GPUAAS_PROVIDER_LOCAL_GPUS", "8xH100",
                "GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off",
                "GPUAAS_GITHUB_URL", github.url()));
    client = new JobClient(server, server.apiKey("full_access"));
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
    github.close();
  }

  @Test
  void everyRequestOfTheDocument() {
    assertThat(client.fine("GET", "/health", "").path("status").asText()).isEqualTo("healthy");
    assertThat(client.fine("GET", "/", "").path("service").asText()).isEqualTo("GPU Dev API");
    String id = jobs();
    cluster();
    disks(id);
    JsonNode rotated = client.fine("POST", "/v1/keys/rotate", "");
    assertThat(rotated.path("key_prefix").asText())
        .isEqualTo(rotated.path("api_key").asText().substring(0, 8));
  }

  private String jobs() {
    JsonNode submitted =
        client.fine(
            "POST",
            "/v1/jobs/submit",
            """
            {
              "image": "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime",
              "instance_type": "p5.48xlarge",
              "duration_hours": 4,
              "disk_name": "my-training-data",
              "disk_size_gb": 100,
              "env_vars": {
                "WANDB_API_KEY": "secret",
                "EXPERIMENT": "training-v1"
              },
              "command": "python train.py --epochs 100"
            }
            """);
    assertThat(submitted.path("status").asText()).isEqualTo("queued");
    assertThat(submitted.path("message").asText())
        .startsWith("Job submitted successfully to queue (message ID: ");
    String id = submitted.path("job_id").asText();
    JsonNode active = client.await(id, "active");
    assertThat(active.path("gpu_type").asText()).isEqualTo("h100");
    assertThat(active.path("instance_type").asText()).isEqualTo("p5.48xlarge");
    String short1 =
        client
            .fine(
                "POST",
                "/v1/jobs/submit",
                """
                {
                    "image": "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime",
                    "instance_type": "p5.48xlarge",
                    "duration_hours": 4
                }
                """)
            .path("job_id")
            .asText();
    client.await(short1, "active");
    assertThat(client.fine("GET", "/v1/jobs", "").path("total").asInt()).isEqualTo(2);
    assertThat(client.fine("GET", "/v1/jobs?status=active,preparing", "").path("total").asInt())
        .isEqualTo(2);
    assertThat(client.fine("GET", "/v1/jobs?limit=10&offset=20", "").path("jobs")).isEmpty();
    // Its command fails, for there is no such program; the job goes on, and says so.
    Eventually.within(SOON, "it ran", () -> client.job(id).path("exit_code").asInt() != 0);
    act(id, "/extend", "{\"extension_hours\": 2}", "Extension request submitted for 2 hours");
    act(id, "/jupyter/enable", "", "Jupyter enable request submitted");
    Eventually.within(SOON, "Jupyter is there", () -> !client.job(id).path("jupyter_url").isNull());
    assertThat(client.job(id).path("jupyter_token").asText()).isNotEmpty();
    act(id, "/jupyter/disable", "", "Jupyter disable request submitted");
    Eventually.within(SOON, "Jupyter is gone", () -> client.job(id).path("jupyter_url").isNull());
    act(
        id,
        "/users",
        "{\"github_username\": \"jeanschmidt\"}",
        "Add user request submitted for GitHub user 'jeanschmidt'");
    act(short1, "/cancel", "", "Cancellation request submitted");
    return id;
  }

  private void act(String id, String action, String body, String message) {
    JsonNode answer = client.fine("POST", "/v1/jobs/" + id + action, body);
    assertThat(answer.path("job_id").asText()).isEqualTo(id);
    assertThat(answer.path("status").asText()).isEqualTo("requested");
    assertThat(answer.path("message").asText())
        .matches("\\Q" + message + "\\E \\(message ID: \\d+\\)");
  }

  private void cluster() {
    assertThat(
            client
                .fine("GET", "/v1/gpu/availability", "")
                .at("/availability/h100/max_per_node")
                .asInt())
        .isEqualTo(8);
    assertThat(client.fine("GET", "/v1/cluster/status", "").path("active_reservations").asInt())
        .isPositive();
  }

  private void disks(String id) {
    String wanted = "{\"disk_name\": \"my-training-data\", \"size_gb\": 500}";
    JsonNode same = client.fine("POST", "/v1/disks", wanted);
    assertThat(same.path("action").asText()).isEqualTo("create");
    assertThat(client.fine("GET", "/v1/disks", "").path("total").asInt()).isPositive();
    assertThat(client.fine("GET", "/v1/disks/my-training-data", "").path("size_gb").asInt())
        .isEqualTo(100);
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    Eventually.within(
        SOON,
        "it is free",
        () -> !client.fine("GET", "/v1/disks/my-training-data", "").path("in_use").asBoolean());
    client.fine(
        "POST", "/v1/disks/my-training-data/rename", "{\"new_name\": \"my-training-data-v2\"}");
    // More than this machine has for all disks together is promised all the same.
    done("my-training-data", client.fine("POST", "/v1/disks", wanted));
    done("my-training-data", client.fine("DELETE", "/v1/disks/my-training-data", ""));
  }

  private void done(String disk, JsonNode operation) {
    String path = "/v1/disks/" + disk + "/operations/" + operation.path("operation_id").asText();
    Eventually.within(
        SOON, "it is done", () -> client.fine("GET", path, "").path("completed").asBoolean());
    assertThat(client.fine("GET", path, "").path("status").asText()).isEqualTo("completed");
  }
}
