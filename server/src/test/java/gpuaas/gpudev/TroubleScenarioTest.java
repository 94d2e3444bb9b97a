package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong under a job that runs is told to it, and not charged where it is ours. */
class TroubleScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private TestServer server;
  private JobClient client;
  private String token;
  private Path privateKey;

  @BeforeEach
  void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
                "GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB", "128",
                "GPUAAS_LEASE_WATCH_EVERY", "500ms",
                "GPUAAS_LEASE_METER_EVERY", "1s",
                "GPUAAS_NODE_SYNC_EVERY", "500ms",
                "GPUAAS_GPUDEV_WARN_BEFORE", "59m59s,59m57s,59m55s",
                "GPUAAS_GPUDEV_GRACE", "3s"));
    client = new JobClient(server, server.apiKey("full_access"));
    token = server.token("dev-user", "dev123");
    KeyPairs.Pair pair = KeyPairs.make("mine");
    server.addKey(token, pair.publicKey().type() + " " + pair.publicKey().blob());
    privateKey = Shell.keyFile(folder, pair);
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
  }

  private List<String> steps(String id) {
    JsonNode timeline =
        server.call("GET", "/api/v1/allocations/" + id + "/timeline", token, "").json();
    List<String> steps = new ArrayList<>();
    timeline.findValues("step").forEach(step -> steps.add(step.asText()));
    return steps;
  }

  private String inside(String id, String command) {
    try {
      return client.inside(id, privateKey, command).out().strip();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whoeverHasNoMemoryLeftIsTold() {
    String id = client.submit(Map.of(), Map.of());
    assertThat(client.await(id, "active").has("oom_count")).isFalse();
    assertThat(inside(id, "perl -e '$x = \"a\" x 400_000_000; print 1'; echo $?")).isEqualTo("137");
    Eventually.within(SOON, "it is told", () -> client.job(id).path("oom_count").asInt() >= 1);
    assertThat(client.job(id).path("last_oom_at").asText()).isNotEmpty();
    assertThat(client.job(id).path("status").asText()).isEqualTo("active");
    Eventually.within(
        SOON,
        "those inside see it",
        () -> inside(id, "cat /run/gpuaas/memory-notice").contains("no memory left"));
  }

  @Test
  void aGpuThatFailsIsSetAsideAndItsTimeIsNotCharged() throws Exception {
    String id = client.submit(Map.of(), Map.of("GPU_COUNT", "2"));
    client.await(id, "active");
    String gpu = inside(id, "echo $NVIDIA_VISIBLE_DEVICES").split(",")[0];
    int before = total();
    Path quarantine = server.data().resolve("providers/local/quarantined-gpus");
    Files.writeString(quarantine, gpu + "\n");
    Eventually.within(
        SOON, "the job is told", () -> client.job(id).path("warning").asText().contains(gpu));
    // It gets nothing new, and is no capacity any more but for who has it.
    assertThat(total()).isEqualTo(before);
    Eventually.within(
        SOON, "those inside see it", () -> inside(id, "cat /run/gpuaas/gpu-notice").contains(gpu));
    // From now on nothing is charged: what was used stays the same over many rounds of metering.
    long seconds = gpuSeconds(id);
    long begun = System.nanoTime();
    Eventually.within(
        SOON, "several rounds are over", () -> System.nanoTime() - begun > 3_000_000_000L);
    assertThat(gpuSeconds(id)).isEqualTo(seconds);

    Files.delete(quarantine);
    Eventually.within(SOON, "all is well", () -> !client.job(id).has("warning"));
    Eventually.within(SOON, "it is charged again", () -> gpuSeconds(id) > seconds);
    Files.writeString(quarantine, gpu + "\n");
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    Eventually.within(SOON, "the broken one is no capacity", () -> total() == before - 1);
  }

  private int total() {
    return client
        .fine("GET", "/v1/gpu/availability", "")
        .path("availability")
        .path("h200")
        .path("total")
        .asInt();
  }

  private long gpuSeconds(String id) {
    return server
        .running()
        .database()
        .read(tx ->
            tx.query(
                    "select coalesce(sum(extract(epoch from (to_at - from_at)) * gpu_count),"
                        + " 0)::bigint from usage where lease_id = :id::uuid")
                .bind("id", id)
                .mapTo(Long.class)
                .one());
  }

  @Test
  void theEndIsToldThreeTimesAndAnExtensionTakesItBack() {
    String id = client.submit(Map.of(), Map.of());
    client.await(id, "active");
    Eventually.within(
        SOON,
        "it was told three times",
        () -> steps(id).stream().filter("ending_soon"::equals).count() == 3);
    // The last one alone lies in the home folder, and shells show it.
    Eventually.within(
        SOON, "one file", () -> inside(id, "ls ~ | grep -c WARN_EXPIRES_IN_").equals("1"));
    assertThat(inside(id, "cat ~/WARN_EXPIRES_IN_*MIN.txt")).startsWith("This environment ends at");
    assertThat(inside(id, "bash -lic gpuaas_notices 2>/dev/null"))
        .contains("This environment ends");
    client.fine("POST", "/v1/jobs/" + id + "/extend", "{\"extension_hours\": 1}");
    Eventually.within(
        SOON, "no file", () -> inside(id, "ls ~ | grep -c WARN_EXPIRES_IN_").equals("0"));
  }

  @Test
  void whoIsLateHasAGrace() {
    // Its end comes, and it goes on for three seconds more.
    String id = client.submit(Map.of(), Map.of());
    client.await(id, "active");
    server
        .running()
        .database()
        .run(tx ->
            tx.update("update lease set expires_at = now() where id = :id::uuid")
                .bind("id", id)
                .execute());
    JsonNode late = client.job(id);
    assertThat(late.path("status").asText()).isEqualTo("active");
    client.await(id, "expired");
  }
}
