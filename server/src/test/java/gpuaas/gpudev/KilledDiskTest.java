package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.ServerProcess;
import gpuaas.spi.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * One disk, and a job for each step of a job's life; at that step the server is killed and started
 * again. What was written is there for the next one, once, and the disk is never stuck in use.
 */
class KilledDiskTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** When the server dies. */
  private enum Step {
    SUBMITTED,
    PREPARING,
    ACTIVE,
    WRITTEN,
    CANCELLED,
    ENDING,
    FREED
  }

  private ServerProcess server;
  private JobClient client;

  @Test
  void nothingIsLostAndNothingIsStuck() throws Exception {
    server = ServerProcess.start(Map.of("GPUAAS_PROVIDER_LOCAL_DISK_POOL_GIB", "12"));
    try {
      client = new JobClient(server.gpudevUrl(), server.apiKey());
      List<String> written = new ArrayList<>();
      client.fine("POST", "/v1/disks", "{\"disk_name\": \"data\", \"size_gb\": 10}");
      for (Step step : Step.values()) {
        live(step, written);
      }
      JsonNode disk = client.fine("GET", "/v1/disks/data", "");
      assertThat(disk.path("snapshot_count").asInt()).isPositive();
      assertThat(disk.path("is_backing_up").asBoolean()).isFalse();
    } finally {
      server.close();
    }
  }

  private void live(Step dies, List<String> written) throws Exception {
    String id =
        client.submit(
            Map.of(
                "disk_name",
                "data",
                "command",
                "echo " + dies + " >> ~/diary; sync ~/diary; cat ~/diary; echo done"),
            Map.of("GPU_TYPE", "H200"));
    written.add(dies.toString());
    dieAt(dies, Step.SUBMITTED);
    if (dies == Step.PREPARING) {
      Eventually.within(PATIENCE, "it moves", () -> !status(id).equals("queued"));
      dieAt(dies, Step.PREPARING);
    }
    Eventually.within(
        PATIENCE,
        "it is active, after " + dies,
        () -> {
          JsonNode job = client.job(id);
          assertThat(job.path("status").asText()).as(job.toString()).doesNotMatch("failed|expired");
          return job.path("status").asText().equals("active");
        });
    dieAt(dies, Step.ACTIVE);
    Eventually.within(PATIENCE, "it wrote", () -> log(id).endsWith("done\n"));
    dieAt(dies, Step.WRITTEN);
    assertThat(log(id)).as("at %s", dies).isEqualTo(String.join("\n", written) + "\ndone\n");
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    dieAt(dies, Step.CANCELLED);
    if (dies == Step.ENDING) {
      Eventually.within(PATIENCE, "it ends", () -> status(id).equals("cancelled"));
      dieAt(dies, Step.ENDING);
    }
    Eventually.within(
        PATIENCE,
        "the disk is free after " + dies,
        () -> !client.fine("GET", "/v1/disks/data", "").path("in_use").asBoolean());
    dieAt(dies, Step.FREED);
    assertThat(status(id)).isEqualTo("cancelled");
  }

  private String status(String id) {
    return client.job(id).path("status").asText();
  }

  private String log(String id) {
    return client.fine("GET", "/v1/jobs/" + id + "/logs", "").path("content").asText();
  }

  private void dieAt(Step dies, Step now) throws Exception {
    if (dies == now) {
      server.kill();
      server.up();
    }
  }
}
