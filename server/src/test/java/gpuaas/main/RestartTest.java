package gpuaas.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.gpuaas.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A server ends while an allocation is in use; the next one over the same folder takes it over. */
class RestartTest {

  private final KeyPairs.Pair pair = KeyPairs.make("restart");

  @Test
  void theNextServerTakesOverWhatRunsAndLeavesNothingInTheEnd() throws Exception {
    Path data = Files.createTempDirectory("gpuaas-restart");
    DatabaseSettings database = TestDatabase.settings();
    Map<String, String> settings = new HashMap<>(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    Path key = Shell.keyFile(data, pair);
    String id;
    JsonNode before;
    Process open;
    String deployment;
    try (TestServer first = TestServer.start(data, Database.open(database), settings)) {
      String token = first.token("dev-user", "dev123");
      id = first.allocate(token, 2, first.addKey(token, pair.publicKey().line()));
      before = first.awaitStatus(token, id, "active");
      deployment = first.running().deployment();
      settings.put("GPUAAS_SSH_PORT", before.path("connection").path("port").asText());
      String leave = "echo kept > /tmp/kept; sleep 1000 > /dev/null 2>&1 < /dev/null &";
      assertThat(Shell.inside(before.path("connection"), key, leave).exit()).isZero();
      open = new ProcessBuilder(Shell.ssh(before.path("connection"), key, "cat")).start();
      echoes(open, "hello");
    }
    assertThat(open.waitFor()).as("the session ends with the server").isNotZero();
    assertThat(traces(data, id)).as("the environment goes on").isNotEmpty();

    try (TestServer second = TestServer.start(data, Database.open(database), settings)) {
      String token = second.token("dev-user", "dev123");
      assertThat(second.running().deployment()).isEqualTo(deployment);
      JsonNode after = second.call("GET", "/api/v1/allocations/" + id, token, "").json();
      assertThat(after).as("nothing has changed").isEqualTo(before);
      Shell.Ran inside =
          Shell.inside(
              after.path("connection"),
              key,
              "cat /tmp/kept; cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
      assertThat(inside.out()).as(inside.err()).startsWith("kept\n").contains("sleep 1000");
      othersGetOtherGpus(second, token, before.path("placement").path("gpu_ids"));
      release(second, token, id);
      assertThat(traces(data, id)).isEmpty();
      assertThat(traces(data, deployment + ".")).isEmpty();
      int claims =
          second
              .running()
              .database()
              .read(tx -> tx.query("select count(*) from gpu_claim").mapTo(Integer.class).one());
      assertThat(claims).isZero();
    }
  }

  private void othersGetOtherGpus(TestServer server, String token, JsonNode held) {
    String keyId =
        server.call("GET", "/api/v1/ssh-keys", token, "").json().at("/items/0/id").asText();
    String other = server.allocate(token, 4, keyId);
    JsonNode theirs = server.awaitStatus(token, other, "active").path("placement").path("gpu_ids");
    assertThat(theirs).hasSize(4);
    held.forEach(gpu -> assertThat(theirs).doesNotContain(gpu));
    release(server, token, other);
  }

  private static void release(TestServer server, String token, String id) {
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    server.awaitStatus(token, id, "released");
  }

  private static void echoes(Process open, String text) throws IOException {
    open.getOutputStream().write((text + "\n").getBytes(UTF_8));
    open.getOutputStream().flush();
    assertThat(new String(open.getInputStream().readNBytes(text.length() + 1), UTF_8))
        .isEqualTo(text + "\n");
  }

  /** Folders, runc's notes, cgroups, mounts and processes that carry a name. */
  private static List<String> traces(Path data, String name) throws Exception {
    String look =
        "find %s/providers /sys/fs/cgroup -name '*%s*' 2>/dev/null; grep -F '%s' /proc/mounts"
            .formatted(data, name, name);
    List<String> found = new ArrayList<>(Shell.bash(look, Map.of()).out().lines().toList());
    ProcessHandle.allProcesses()
        .map(process -> process.info().commandLine().orElse(""))
        .filter(line -> line.contains(name))
        .forEach(found::add);
    return found;
  }
}
