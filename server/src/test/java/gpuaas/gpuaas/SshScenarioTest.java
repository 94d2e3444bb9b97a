package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Keys of the API are what opens allocations over SSH: at once, and not a moment longer. */
class SshScenarioTest {

  private static TestServer server;
  private static String token;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private record Owner(Path key, String keyId) {
    static Owner make(String name) throws IOException {
      KeyPairs.Pair pair = KeyPairs.make(name);
      Path folder = Files.createDirectory(server.data().resolve("key-" + name));
      return new Owner(Shell.keyFile(folder, pair), server.addKey(token, pair.publicKey().line()));
    }
  }

  private static Process enter(JsonNode connection, Path key) throws IOException {
    Process open = new ProcessBuilder(Shell.ssh(connection, key, "cat")).start();
    open.getOutputStream().write("in\n".getBytes(UTF_8));
    open.getOutputStream().flush();
    assertThat(new String(open.getInputStream().readNBytes(3), UTF_8)).isEqualTo("in\n");
    return open;
  }

  private static void endsSoon(Process open) throws InterruptedException {
    assertThat(open.waitFor(30, TimeUnit.SECONDS)).as("the session ends").isTrue();
    assertThat(open.exitValue()).isNotZero();
  }

  private static void release(String id) {
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    server.awaitStatus(token, id, "released");
  }

  @Test
  void aDeletedKeyOpensNothingAndItsSessionsEnd() throws Exception {
    Owner owner = Owner.make("deleted");
    String id = server.allocate(token, 1, owner.keyId());
    JsonNode connection = server.awaitStatus(token, id, "active").path("connection");
    Process open = enter(connection, owner.key());
    String path = "/api/v1/ssh-keys/" + owner.keyId();
    assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(204);
    endsSoon(open);
    assertThat(Shell.inside(connection, owner.key(), "true").exit()).isEqualTo(255);
    release(id);
  }

  @Test
  void releaseEndsSessionsAndAnotherKeyNeverOpened() throws Exception {
    Owner owner = Owner.make("owner");
    Owner stranger = Owner.make("stranger");
    String id = server.allocate(token, 1, owner.keyId());
    JsonNode connection = server.awaitStatus(token, id, "active").path("connection");
    assertThat(Shell.inside(connection, stranger.key(), "true").exit()).isEqualTo(255);
    Process open = enter(connection, owner.key());
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    endsSoon(open);
    server.awaitStatus(token, id, "released");
    assertThat(Shell.inside(connection, owner.key(), "true").exit()).isEqualTo(255);
  }

  @Test
  void manyAtOnceHoldDifferentGpusAndTheRestWaitInTurn() throws Exception {
    // Twelve ask for one of eight; as they leave, those who wait come in, oldest first.
    Owner owner = Owner.make("many");
    List<String> asked = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      asked.add(server.allocate(token, 1, owner.keyId()));
    }
    Set<String> held = new HashSet<>();
    for (String id : asked.subList(0, 8)) {
      JsonNode active = server.awaitStatus(token, id, "active");
      held.add(active.at("/placement/gpu_ids/0").asText());
    }
    assertThat(held).hasSize(8);
    for (int i = 8; i < 12; i++) {
      JsonNode waiting = server.awaitStatus(token, asked.get(i), "requested");
      assertThat(waiting.at("/waiting/position").asInt()).isEqualTo(i - 7);
    }
    for (int i = 0; i < 4; i++) {
      release(asked.get(i));
      server.awaitStatus(token, asked.get(8 + i), "active");
    }
    for (String id : asked.subList(4, 12)) {
      release(id);
    }
  }
}
