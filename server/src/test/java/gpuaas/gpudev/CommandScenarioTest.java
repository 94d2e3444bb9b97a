package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commands of jobs in real environments: run once, heard to the last word, whatever happens. */
class CommandScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  private final DatabaseSettings database = TestDatabase.settings();
  private Path data;
  private TestServer server;
  private JobClient client;
  private String key;

  @BeforeEach
  void start() throws Exception {
    data = Files.createTempDirectory("gpuaas-commands");
    server = serve();
    key = server.apiKey("full_access");
    client = new JobClient(server, key);
  }

  private TestServer serve() throws Exception {
    return TestServer.start(
        data,
        Database.open(database),
        Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local", "GPUAAS_COMMAND_OUTPUT_MIB_MOST", "1"));
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
    new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
  }

  private String run(String command, Map<String, String> variables) {
    return client.submit(Map.of("command", command), variables);
  }

  private JsonNode logs(String id) {
    return client.fine("GET", "/v1/jobs/" + id + "/logs?limit=1048576", "");
  }

  private JsonNode awaitExit(String id) {
    Eventually.within(
        SOON, "the command has ended", () -> logs(id).path("status").asText().equals("exited"));
    return logs(id);
  }

  @Test
  void whatItWroteAndHowItEndedIsKept() {
    // The variables are there, errors are kept in their place, the exit code is the command's own,
    // and the job goes on: its owner may want to look around.
    String id = run("echo \"hello $NAME\"; echo trouble >&2; pwd; exit 3", Map.of("NAME", "wörld"));
    JsonNode logs = awaitExit(id);
    assertThat(logs.path("content").asText()).startsWith("hello wörld\ntrouble\n/");
    assertThat(logs.path("exit_code").asInt()).isEqualTo(3);
    assertThat(logs.path("truncated").asBoolean()).isFalse();
    JsonNode job = client.job(id);
    assertThat(job.path("status").asText()).isEqualTo("active");
    assertThat(job.path("command_status").asText()).isEqualTo("exited");
    assertThat(job.path("exit_code").asInt()).isEqualTo(3);
    // A part of it, and the whole as text; after the job's end too.
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    client.await(id, "cancelled");
    JsonNode part = client.fine("GET", "/v1/jobs/" + id + "/logs?offset=6&limit=6", "");
    assertThat(part.path("content").asText()).isEqualTo("wörld");
    assertThat(part.path("next_offset").asInt()).isEqualTo(12);
    assertThat(client.raw("/v1/jobs/" + id + "/logs", "text/plain").body())
        .startsWith("hello wörld\n");
  }

  @Test
  void whatNobodyCanRunIsRefused() {
    String body =
        "{\"image\": \"i\", \"instance_type\": \"p5e.48xlarge\", \"command\": \"echo \\u0000\"}";
    assertThat(client.call("POST", "/v1/jobs/submit", body).status()).isEqualTo(400);
    assertThat(client.call("GET", "/v1/jobs/no-such-job/logs", "").status()).isEqualTo(404);
    StringBuilder ports = new StringBuilder("1");
    for (int port = 2; port <= 200; port++) {
      ports.append(',').append(port);
    }
    String many =
        "{\"image\": \"i\", \"instance_type\": \"p5e.48xlarge\", \"env_vars\": {\"PORTS\": \""
            + ports
            + "\"}}";
    assertThat(client.call("POST", "/v1/jobs/submit", many).status()).isEqualTo(400);
    assertThat(client.fine("GET", "/v1/jobs", "").path("total").asInt()).isZero();
  }

  @Test
  void aJobMayEndWithItsCommand() {
    String good = run("echo done", Map.of("END_WITH_COMMAND", "true"));
    String bad = run("echo so far; exit 7", Map.of("END_WITH_COMMAND", "true"));
    client.await(good, "completed");
    JsonNode failed = client.await(bad, "failed");
    assertThat(failed.path("exit_code").asInt()).isEqualTo(7);
    assertThat(failed.path("failure_reason").asText()).contains("exit code");
    assertThat(logs(good).path("content").asText()).isEqualTo("done\n");
    assertThat(logs(bad).path("content").asText()).isEqualTo("so far\n");
  }

  @Test
  void aRestartOfTheServerLosesNothingAndRunsNothingTwice() throws Exception {
    String id =
        run(
            "echo begun >> ~/begun; for i in $(seq 1 40); do echo $i; sleep 0.1; done; cat ~/begun",
            Map.of());
    client.await(id, "active");
    Eventually.within(SOON, "it writes", () -> logs(id).path("content").asText().contains("5\n"));
    server.close();
    server = serve();
    client = new JobClient(server, key);
    String content = awaitExit(id).path("content").asText();
    StringBuilder expected = new StringBuilder();
    for (int i = 1; i <= 40; i++) {
      expected.append(i).append('\n');
    }
    assertThat(content).isEqualTo(expected + "begun\n");
  }

  @Test
  void whoeverFollowsHearsItAsItComes() {
    String id = run("for i in 1 2 3; do echo line $i; sleep 3; done", Map.of());
    String stream = client.raw("/v1/jobs/" + id + "/logs?follow=true", "text/event-stream").body();
    assertThat(stream)
        .contains("event: output\n")
        .contains("line 1")
        .contains("line 3")
        .contains("event: end\n")
        .contains("\"exit_code\":0");
    assertThat(stream.split("event: output\n")).hasSizeGreaterThan(2); // not all at the end
    // From the middle: what was heard is not told again.
    String rest =
        client.raw("/v1/jobs/" + id + "/logs?follow=true&offset=14", "text/event-stream").body();
    assertThat(rest).contains("line 3").doesNotContain("line 1");
  }

  @Test
  void moreThanIsKeptStopsNobody() {
    String id = run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo $? >&2", Map.of());
    JsonNode logs = awaitExit(id);
    assertThat(logs.path("exit_code").asInt()).isZero();
    assertThat(logs.path("total_bytes").asInt()).isEqualTo(1 << 20);
    assertThat(logs.path("truncated").asBoolean()).isTrue();
  }

  @Test
  void aCommandThatForksForEverHarmsItselfOnly() {
    // Nothing can be started beside it; the job can be ended all the same, and its neighbour works.
    String bomb = run("echo lit; f() { f | f & }; f; sleep 1000", Map.of());
    client.await(bomb, "active");
    String neighbour = run("echo fine", Map.of());
    assertThat(awaitExit(neighbour).path("content").asText()).isEqualTo("fine\n");
    client.fine("POST", "/v1/jobs/" + bomb + "/cancel", "");
    client.await(bomb, "cancelled");
    Eventually.within(
        SOON,
        "nothing of it is left",
        () ->
            server.running().leases().find(java.util.UUID.fromString(bomb)).orElseThrow().state()
                instanceof gpuaas.lease.LeaseState.Ended);
  }

  @Test
  void theLastWordsBeforeTheEndAreHeard() {
    String id = run("echo one; sleep 2; echo two; sleep 1000", Map.of());
    Eventually.within(SOON, "it spoke", () -> logs(id).path("content").asText().contains("two"));
    client.fine("POST", "/v1/jobs/" + id + "/cancel", "");
    client.await(id, "cancelled");
    assertThat(logs(id).path("content").asText()).isEqualTo("one\ntwo\n");
    assertThat(logs(id).path("status").asText()).isEqualTo("stopped");
    assertThat(logs(id).path("exit_code").isNull()).isTrue();
  }
}
