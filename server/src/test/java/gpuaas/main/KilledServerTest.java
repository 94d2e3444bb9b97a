package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The whole program, as it is started in life, is killed with SIGKILL while an allocation is in
 * use; started again, it goes on where it was. Told to stop, it stops and leaves what runs running.
 */
class KilledServerTest {

  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final int apiPort = freePort();
  private final int idpPort = freePort();
  private final int sshPort = freePort();
  private final int gpuaiPort = freePort();

  @Test
  void theNextOneGoesOn() throws Exception {
    Path data = Files.createTempDirectory("gpuaas-killed");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    KeyPairs.Pair pair = KeyPairs.make("killed");
    Path key = Shell.keyFile(data, pair);
    Process server = up(data);
    try (HookReceiver receiver = new HookReceiver()) {
      String token = token();
      String apiKey =
          call("POST", "/api/v1/api-keys", token, "{\"name\": \"killed\"}")
              .json()
              .path("key")
              .asText();
      receiver.secret(
          instances(
                  apiKey,
                  "POST",
                  "/webhook-endpoints",
                  "{\"url\": \""
                      + receiver.url()
                      + "\", \"event_types\": [\"instance.creating\", \"instance.running\","
                      + " \"instance.terminated\", \"instance.failed\"]}")
              .json()
              .path("secret")
              .asText());
      String title =
          new ObjectMapper()
              .createObjectNode()
              .put("title", "t")
              .put("key", pair.publicKey().line())
              .toString();
      String keyId = call("POST", "/api/v1/ssh-keys", token, title).json().path("id").asText();
      String body =
          "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
              + " \"ssh_key_ids\": [\""
              + keyId
              + "\"]}";
      String path = "/api/v1/allocations/";
      String id = call("POST", "/api/v1/allocations", token, body).json().path("id").asText();
      JsonNode before = await(token, id, "active");
      assertThat(Shell.inside(before.path("connection"), key, "echo kept > /tmp/kept").exit())
          .isZero();

      Thread dying = Thread.ofVirtual().start(() -> instanceWithKey(apiKey, "died"));
      server.destroyForcibly().waitFor();
      dying.join();
      server = up(data);
      assertThat(call("GET", path + id, token, "").json())
          .as("the token still counts, and nothing has changed")
          .isEqualTo(before);
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");

      String other = onlyOneOtherThan(id, apiKey);
      server.destroy();
      assertThat(server.waitFor(60, TimeUnit.SECONDS)).as("it stops when told to").isTrue();
      server = up(data);
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");
      call("POST", path + id + "/release", token, "");
      await(token, id, "released");
      theBillIsThatOfItsTime(token, apiKey, id);
      instances(apiKey, "DELETE", "/instances/" + other, "");
      await(token, other, "released");
      Eventually.within(
          PATIENCE,
          "all is told",
          () ->
              receiver
                      .types(id)
                      .equals(
                          List.of("instance.creating", "instance.running", "instance.terminated"))
                  && receiver.types(other).contains("instance.terminated"));
    } finally {
      server.destroy();
      if (!server.waitFor(60, TimeUnit.SECONDS)) {
        server.destroyForcibly();
      }
    }
  }

  private Process up(Path data) throws IOException {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.add("up");
    Path log = data.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder
        .environment()
        .putAll(
            Map.ofEntries(
                Map.entry("GPUAAS_DATA", data.toString()),
                Map.entry("GPUAAS_API_PORT", "" + apiPort),
                Map.entry("GPUAAS_IDP_PORT", "" + idpPort),
                Map.entry("GPUAAS_SSH_PORT", "" + sshPort),
                Map.entry("GPUAAS_GPUAI_PORT", "" + gpuaiPort),
                Map.entry("GPUAAS_GPUDEV_PORT", "0"),
                Map.entry("GPUAAS_PROXY_PORT", "0"),
                Map.entry("GPUAAS_WEBHOOK_ALLOW_PRIVATE", "true"),
                Map.entry("GPUAAS_WEBHOOK_RETRY_AFTER", "0s,1s,1s,1s,2s,5s,10s,30s"),
                Map.entry("GPUAAS_LEASE_METER_EVERY", "1s"),
                Map.entry("GPUAAS_LEASE_WATCH_EVERY", "1s"),
                Map.entry("GPUAAS_DATABASE_SYSTEM_USER", "nobody"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB", "256"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_EGRESS", "off"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off")));
    Process process = builder.start();
    Eventually.within(
        PATIENCE,
        "the server is ready; its output is in " + log,
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("it ended with " + process.exitValue() + ": " + text(log));
          }
          return listens() && call("GET", "/readyz", "", "").status() == 200;
        });
    return process;
  }

  /** A request whose server may die meanwhile. */
  private void instanceWithKey(String apiKey, String key) {
    try {
      wanted(apiKey, key);
    } catch (AssertionError died) {
      // That is the point.
    }
  }

  private Answer wanted(String apiKey, String key) {
    return TestServer.send(
        "POST",
        "http://localhost:" + gpuaiPort + "/v1/instances",
        Map.of("Authorization", "Bearer " + apiKey, "Idempotency-Key", key),
        "{\"gpu_type\": \"h200\", \"gpu_count\": 1, \"tier\": \"on_demand\"}");
  }

  /** The key of the request that died heals: whatever came of that, there is one instance. */
  private String onlyOneOtherThan(String id, String apiKey) {
    Answer again = wanted(apiKey, "died");
    assertThat(again.status()).as(again.body()).isEqualTo(202);
    assertThat(wanted(apiKey, "died").body()).isEqualTo(again.body());
    List<String> all =
        instances(apiKey, "GET", "/instances?status=all", "")
            .json()
            .path("data")
            .findValuesAsText("id");
    String other = again.json().path("resource_id").asText();
    assertThat(all).containsExactlyInAnyOrder(id, other);
    return other;
  }

  /** Seconds from being proved ready to being asked to end, over two deaths of the server. */
  private void theBillIsThatOfItsTime(String token, String apiKey, String id) {
    Map<String, Instant> steps = new HashMap<>();
    call("GET", "/api/v1/allocations/" + id + "/timeline", token, "")
        .json()
        .path("items")
        .forEach(
            item -> steps.put(item.path("step").asText(), Instant.parse(item.path("at").asText())));
    long seconds = Duration.between(steps.get("active"), steps.get("releasing")).toSeconds();
    long gpuSeconds = 0;
    for (JsonNode row :
        instances(apiKey, "GET", "/usage?group_by=instance_id&bucket=month", "")
            .json()
            .path("data")) {
      gpuSeconds +=
          row.path("instance_id").asText().equals(id) ? row.path("gpu_seconds").asLong() : 0;
    }
    assertThat(gpuSeconds).isEqualTo(seconds);
  }

  private Answer instances(String apiKey, String method, String path, String body) {
    return TestServer.send(
        method,
        "http://localhost:" + gpuaiPort + "/v1" + path,
        Map.of("Authorization", "Bearer " + apiKey),
        body);
  }

  private boolean listens() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), apiPort)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private String token() {
    String form =
        "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret"
            + "&username=dev-user&password=dev123";
    String url = "http://localhost:" + idpPort + "/realms/gpuaas/protocol/openid-connect/token";
    return TestServer.send("POST", url, Map.of(), form).json().path("access_token").asText();
  }

  private Answer call(String method, String path, String token, String body) {
    Map<String, String> headers =
        token.isEmpty() ? Map.of() : Map.of("Authorization", "Bearer " + token);
    return TestServer.send(method, "http://localhost:" + apiPort + path, headers, body);
  }

  private JsonNode await(String token, String id, String status) {
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        PATIENCE,
        id + " is " + status,
        () -> {
          last[0] = call("GET", "/api/v1/allocations/" + id, token, "").json();
          return last[0].path("status").asText().equals(status);
        });
    return last[0];
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
