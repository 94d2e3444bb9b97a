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
import java.util.ArrayList;
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

  @Test
  void theNextOneGoesOn() throws Exception {
    Path data = Files.createTempDirectory("gpuaas-killed");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    KeyPairs.Pair pair = KeyPairs.make("killed");
    Path key = Shell.keyFile(data, pair);
    Process server = up(data);
    try {
      String token = token();
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

      server.destroyForcibly().waitFor();
      server = up(data);
      assertThat(call("GET", path + id, token, "").json())
          .as("the token still counts, and nothing has changed")
          .isEqualTo(before);
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");

      server.destroy();
      assertThat(server.waitFor(60, TimeUnit.SECONDS)).as("it stops when told to").isTrue();
      server = up(data);
      assertThat(Shell.inside(before.path("connection"), key, "cat /tmp/kept").out())
          .isEqualTo("kept\n");
      call("POST", path + id + "/release", token, "");
      await(token, id, "released");
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
            Map.of(
                "GPUAAS_DATA", data.toString(),
                "GPUAAS_API_PORT", "" + apiPort,
                "GPUAAS_IDP_PORT", "" + idpPort,
                "GPUAAS_SSH_PORT", "" + sshPort,
                "GPUAAS_GPUAI_PORT", "0",
                "GPUAAS_DATABASE_SYSTEM_USER", "nobody",
                "GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200",
                "GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB", "256",
                "GPUAAS_PROVIDER_LOCAL_EGRESS", "off",
                "GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off"));
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
