package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that fill up, and money that runs out: who works inside is told before. */
class FillScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private TestServer server;
  private JobClient client;
  private String token;
  private Path privateKey;

  private void start(Map<String, String> more) throws Exception {
    Map<String, String> settings =
        new HashMap<>(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
                "GPUAAS_PROVIDER_LOCAL_DISK_POOL_GIB", "12",
                "GPUAAS_DISK_LOOK_EVERY", "500ms"));
    settings.putAll(more);
    server = TestServer.start(settings);
    client = new JobClient(server, server.apiKey("full_access"));
    token = server.token("dev-user", "dev123");
    KeyPairs.Pair pair = KeyPairs.make("mine");
    var _ = server.addKey(token, pair.publicKey().type() + " " + pair.publicKey().blob());
    privateKey = Shell.keyFile(folder, pair);
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
  }

  private String inside(String id, String command) {
    try {
      return client.inside(id, privateKey, command).out().strip();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private List<String> told(String id, String step, String detail) {
    return server
        .call("GET", "/api/v1/allocations/" + id + "/timeline", token, "")
        .json()
        .path("items")
        .valueStream()
        .filter(item -> item.path("step").asText().equals(step))
        .map(item -> item.path("details").path(detail).asText())
        .toList();
  }

  private List<Integer> told(String id) {
    return told(id, "disk_filling", "used_percent").stream().map(Integer::valueOf).toList();
  }

  private String notice(String id, String kind) {
    return inside(id, "cat /run/gpuaas/" + kind + "-notice");
  }

  private JsonNode ready() {
    return server.call("GET", "/readyz", "", "").json();
  }

  private Answer make(String disk) {
    return client.call("POST", "/v1/disks", "{\"disk_name\": \"" + disk + "\", \"size_gb\": 10}");
  }

  @Test
  void whoFillsADiskIsToldOnceForEachThreshold() throws Exception {
    start(Map.of());
    String id = client.submit(Map.of("disk_name", "work", "disk_size_gb", 10), Map.of());
    client.await(id, "active");
    assertThat(inside(id, "fallocate -l 8400M ~/big && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "it is told", () -> !told(id).isEmpty());
    assertThat(told(id)).allMatch(percent -> percent >= 80 && percent < 90);
    assertThat(told(id, "disk_filling", "disk")).containsExactly("work");
    Eventually.within(
        SOON,
        "those inside see it",
        () -> notice(id, "disk").contains("The disk work (home folder, 10.0 GiB) is 8"));
    assertThat(client.fine("GET", "/v1/disks/work", "").path("disk_size").asText()).startsWith("8");

    assertThat(inside(id, "fallocate -l 900M ~/more && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "it is told again", () -> told(id).size() == 2);
    assertThat(told(id).getLast()).isBetween(90, 94);

    // Once for each: many looks later it was not told again. Then room is made, and used again.
    assertThat(inside(id, "rm ~/big ~/more && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "it is taken back", () -> notice(id, "disk").isEmpty());
    assertThat(told(id)).hasSize(2);
    assertThat(inside(id, "fallocate -l 8400M ~/big && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "it is told anew", () -> told(id).size() == 3);

    // The next one who has it is told as well.
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    Eventually.within(
        SOON,
        "it is free",
        () -> !client.fine("GET", "/v1/disks/work", "").path("in_use").asBoolean());
    String next = client.submit(Map.of("disk_name", "work"), Map.of());
    client.await(next, "active");
    Eventually.within(SOON, "the next is told", () -> told(next).size() == 1);
  }

  @Test
  void whereTheRoomIsShortNoDiskIsMade() throws Exception {
    start(Map.of("GPUAAS_DISK_POOL_FULL_PERCENT", "60"));
    String id = client.submit(Map.of("disk_name", "work", "disk_size_gb", 10), Map.of());
    client.await(id, "active");
    assertThat(ready().has("warnings")).isFalse();
    assertThat(inside(id, "fallocate -l 7500M ~/big && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "who runs this sees it", () -> ready().has("warnings"));
    assertThat(ready().path("status").asText()).isEqualTo("ready");
    assertThat(ready().path("warnings").path(0).asText()).startsWith("the room for disks of local");
    Eventually.within(SOON, "no disk is made", () -> make("another").status() == 409);
    assertThat(make("another").json().path("detail").asText())
        .contains("disk another is not made: the room for disks is ");
    String without = client.submit(Map.of(), Map.of());
    assertThat(client.await(without, "active").path("warning").asText())
        .contains("no persistent disk")
        .contains("not made");

    assertThat(inside(id, "rm ~/big && sync && echo done")).isEqualTo("done");
    Eventually.within(SOON, "there is room again", () -> !ready().has("warnings"));
    Eventually.within(SOON, "disks are made", () -> make("another").status() == 200);
  }

  @Test
  void whoseMoneyRunsOutIsTold() throws Exception {
    // At four dollars an hour it lasts one job for 18 minutes, and two for 9.
    start(
        Map.of(
            "GPUAAS_LEDGER_MODE", "prepaid",
            "GPUAAS_LEDGER_STARTING_CREDIT_MICROS", "1200000",
            "GPUAAS_LEDGER_HOLD_FOR", "1m",
            "GPUAAS_LEDGER_WARN_AHEAD", "12m",
            "GPUAAS_LEDGER_LAST_WARN_AHEAD", "2m",
            "GPUAAS_LEDGER_STOP_AHEAD", "10s",
            "GPUAAS_LEDGER_CHECK_EVERY", "500ms"));
    String id = client.submit(Map.of("disk_name", "none"), Map.of());
    client.await(id, "active");
    String other = client.submit(Map.of("disk_name", "none"), Map.of());
    client.await(other, "active");
    Eventually.within(SOON, "both are told", () -> !funds(id).isEmpty() && !funds(other).isEmpty());
    assertThat(funds(id)).containsExactly("the funds");
    Eventually.within(
        SOON,
        "those inside see it",
        () -> notice(id, "funds").matches("What pays .*, the funds, lasts [789] more minutes.*"));
    // With one of them gone it lasts: nobody inside need hurry any more.
    client.fine("POST", "/v1/jobs/" + other + "/cancel", "");
    Eventually.within(SOON, "it is taken back", () -> notice(id, "funds").isEmpty());
    assertThat(funds(id)).hasSize(1);
  }

  private List<String> funds(String id) {
    return told(id, "funds_low", "what");
  }
}
