package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.local.image.registry.TestRegistry;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs in images of a real registry. */
class ImageScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private TestRegistry registry;
  private TestServer server;
  private JobClient client;

  @BeforeEach
  void start() throws Exception {
    registry = TestRegistry.start(folder.resolve("registry"));
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local"));
    client = new JobClient(server, server.apiKey("full_access"));
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
    registry.close();
  }

  private String submit(String image) {
    return client.submit(Map.of("image", image, "command", "cat /word"), Map.of());
  }

  @Test
  void aJobRunsInTheImageThatItNames() throws Exception {
    registry.tiny("here").push("tool:1");
    String image = registry.name() + "/tool:1";
    String id = submit(image);
    assertThat(client.await(id, "active").path("image").asText()).isEqualTo(image);
    Eventually.within(
        SOON,
        "it ran",
        () ->
            client
                .fine("GET", "/v1/jobs/" + id + "/logs", "")
                .path("content")
                .asText()
                .equals("here\n"));
  }

  @Test
  void anImageThatIsNotThereIsSaidToBe() {
    String id = submit(registry.name() + "/nothing:1");
    JsonNode failed = client.await(id, "failed");
    assertThat(failed.path("failure_reason").asText())
        .startsWith("its environment did not come up: ")
        .contains("nothing:1")
        .doesNotContain("/tmp/");
  }

  @Test
  void aPlainNameIsNobodysInParticular() {
    // It runs in the default environment, and says so.
    String id = submit("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime");
    assertThat(client.await(id, "active").path("image").asText())
        .contains("in place of pytorch/pytorch:2.1.0");
  }
}
