package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs without GPUs, on this machine. */
class CpuJobScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String TYPE =
      System.getProperty("os.arch").equals("aarch64") ? "cpu-arm" : "cpu-x86";
  private static final String INSTANCE_TYPE =
      TYPE.equals("cpu-arm") ? "c7g.8xlarge" : "c7i.8xlarge";

  @TempDir private Path folder;

  private TestServer server;
  private JobClient client;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"));
    client = new JobClient(server, server.apiKey("full_access"));
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
  }

  private String submit(Map<String, Object> more, Map<String, String> variables) {
    Map<String, Object> body = new HashMap<>(Map.of("instance_type", INSTANCE_TYPE));
    body.putAll(more);
    return client.submit(body, variables);
  }

  private String submit() {
    return submit(Map.of(), Map.of("GPU_TYPE", TYPE, "GPU_COUNT", "0"));
  }

  private JsonNode there() {
    return client.fine("GET", "/v1/gpu/availability", "").path("availability").path(TYPE);
  }

  private void awaitThere(int available, int used, int queued) {
    Eventually.within(
        SOON,
        available + " available, " + used + " in use, " + queued + " queued",
        () ->
            there().path("available").asInt() == available
                && there().path("in_use").asInt() == used
                && there().path("queued").asInt() == queued);
  }

  @Test
  void aJobWithoutGpusIsLikeAnyOther() throws Exception {
    // A shell, a command, a disk and Jupyter; no GPU, and none said to be there.
    KeyPairs.Pair pair = KeyPairs.make("mine");
    var _ =
        server.addKey(
            server.token("dev-user", "dev123"),
            pair.publicKey().type() + " " + pair.publicKey().blob());
    String id =
        submit(
            Map.of(
                "command", "echo \"GPUs:$CUDA_VISIBLE_DEVICES.\"; ls /dev | grep -c nvidia",
                "disk_name", "work",
                "disk_size_gb", 10),
            Map.of("GPU_TYPE", TYPE.toUpperCase(Locale.ROOT), "GPU_COUNT", "0"));
    JsonNode active = client.await(id, "active");
    assertThat(active.path("gpu_type").asText()).isEqualTo(TYPE);
    assertThat(active.path("gpu_count").asInt()).isZero();
    assertThat(active.path("instance_type").asText()).isEqualTo(INSTANCE_TYPE);
    assertThat(active.path("disk_name").asText()).isEqualTo("work");

    Path key = Shell.keyFile(folder, pair);
    Shell.Ran ran =
        Shell.inside(
            connection(active),
            key,
            "echo \"$NVIDIA_VISIBLE_DEVICES,$GPUAAS_GPUS_SIMULATED\"; cat /etc/motd; grep"
                + " -q \" $HOME \" /proc/self/mounts && echo on a disk");
    assertThat(ran.out()).startsWith("void,\n").contains("no GPU, ").endsWith("on a disk\n");
    Eventually.within(
        SOON,
        "its command has ended",
        () ->
            client
                .fine("GET", "/v1/jobs/" + id + "/logs", "")
                .path("status")
                .asText()
                .equals("exited"));
    assertThat(client.fine("GET", "/v1/jobs/" + id + "/logs", "").path("content").asText())
        .isEqualTo("GPUs:.\n0\n");
    client.fine("POST", "/v1/jobs/" + id + "/jupyter/enable", "");
    Eventually.within(SOON, "Jupyter is there", () -> !client.job(id).path("jupyter_url").isNull());

    // Elsewhere it is a lease with no GPU, and nobody else lists such places.
    JsonNode allocation = asUser("/api/v1/allocations/" + id);
    assertThat(allocation.path("gpus_total").asInt()).isZero();
    assertThat(allocation.path("placement").path("gpu_ids")).isEmpty();
    assertThat(allocation.path("placement").path("simulated").asBoolean()).isFalse();
    assertThat(asUser("/api/v1/skus").toString()).doesNotContain("CPU");
    String inventory =
        TestServer.send("GET", server.shopperUrl() + "/api/v1/inventory", Map.of(), "").body();
    assertThat(inventory).contains("H200").doesNotContainIgnoringCase("cpu_");

    for (String list : List.of("/v1/gpu-types", "/v1/pricing")) {
      String body = TestServer.send("GET", server.gpuaiUrl() + list, Map.of(), "").body();
      assertThat(body).containsIgnoringCase("h200").doesNotContainIgnoringCase("cpu_");
    }

    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    client.await(id, "cancelled");
  }

  private static JsonNode connection(JsonNode job) {
    String[] at = job.path("ssh_command").asText().split("[ @]");
    return new ObjectMapper()
        .createObjectNode()
        .put("host", at[4])
        .put("port", at[2])
        .put("username", at[3]);
  }

  private JsonNode asUser(String path) {
    return server.call("GET", path, server.token("dev-user", "dev123"), "").json();
  }

  @Test
  void theFourthWaits() {
    // Three places; GPUs are no part of it, and whoever wants a GPU does not wait for a place.
    JsonNode before = there();
    assertThat(before.path("total").asInt()).isEqualTo(3);
    assertThat(before.path("available").asInt()).isEqualTo(3);
    assertThat(before.path("max_per_node").asInt()).isZero();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ids.add(submit());
      client.await(ids.get(i), "active");
    }
    String fourth = submit();
    awaitThere(0, 3, 1);
    JsonNode waiting = client.job(fourth);
    assertThat(waiting.path("status").asText()).isEqualTo("queued");
    assertThat(waiting.path("queue_position").asInt()).isEqualTo(1);
    String gpus = client.submit(Map.of(), Map.of("GPU_TYPE", "h200", "GPU_COUNT", "2"));
    client.await(gpus, "active");

    JsonNode cluster = client.fine("GET", "/v1/cluster/status", "");
    assertThat(cluster.path("total_gpus").asInt()).isEqualTo(2 + 3);
    assertThat(cluster.path("in_use_gpus").asInt()).isEqualTo(2 + 3);
    assertThat(cluster.path("queued_gpus").asInt()).isEqualTo(1);
    assertThat(cluster.path("by_gpu_type").path(TYPE).path("max_per_node").asInt()).isZero();

    client.fine("POST", "/v1/jobs/" + ids.getFirst() + "/cancel", "");
    client.await(fourth, "active");
    awaitThere(0, 3, 0);
    client.fine("POST", "/v1/jobs/" + fourth + "/cancel", "");
    awaitThere(1, 2, 0);
  }
}
