package gpuaas.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** PostgreSQL goes away and comes back: who works inside notices nothing, and all else heals. */
class DatabaseGoneTest {

  private static final String PATH = "/api/v1/allocations";
  private static final int ECHOES = 5;

  private static EmbeddedPostgres postgres(Path folder) {
    Path programs = Path.of(System.getProperty("java.io.tmpdir"), "gpuaas-test-programs");
    return EmbeddedPostgres.start(programs, folder, false, "nobody");
  }

  @Test
  void sessionsGoOnAndEverythingHeals() throws Exception {
    Path data = Files.createTempDirectory("gpuaas-database-gone");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path folder = data.resolve("postgres");
    EmbeddedPostgres postgres = postgres(folder);
    Database database = Database.open(postgres.settings("gpuaas", 8, Duration.ofSeconds(2)));
    Map<String, String> settings =
        Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200", "GPUAAS_SSH_RECHECK_EVERY", "1s");
    KeyPairs.Pair pair = KeyPairs.make("database gone");
    Path key = Shell.keyFile(data, pair);
    try (TestServer server = TestServer.start(data, database, settings)) {
      String token = server.token("dev-user", "dev123");
      String keyId = server.addKey(token, pair.publicKey().line());
      String id = server.allocate(token, 1, keyId);
      JsonNode connection = server.awaitStatus(token, id, "active").path("connection");
      Process open = new ProcessBuilder(Shell.ssh(connection, key, "cat")).start();
      echoes(open, "before");

      postgres.close();
      isAway(server, token, id);
      // Each request waits for the patience: long enough for several looks at this session's right.
      for (int i = 0; i < ECHOES; i++) {
        echoes(open, "during " + i);
        assertThat(server.call("GET", PATH + "/" + id, token, "").status()).isEqualTo(503);
      }

      postgres = postgres(folder);
      Eventually.within(
          Duration.ofSeconds(60),
          "it is ready again",
          () -> server.call("GET", "/readyz", "", "").status() == 200);
      echoes(open, "after");
      server.awaitStatus(token, id, "active");
      String next = server.allocate(token, 1, keyId);
      server.awaitStatus(token, next, "active");
      assertThat(count(database, "lease")).isEqualTo(2);
      assertThat(count(database, "gpu_claim")).isEqualTo(2);
      open.getOutputStream().close();
      assertThat(open.waitFor()).isZero();
      for (String each : new String[] {id, next}) {
        server.call("POST", PATH + "/" + each + "/release", token, "");
        server.awaitStatus(token, each, "released");
      }
      assertThat(count(database, "gpu_claim")).isZero();
    } finally {
      postgres.close();
    }
  }

  private static void isAway(TestServer server, String token, String id) {
    String body =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\"}";
    for (String[] request :
        new String[][] {
          {"GET", PATH + "/" + id, ""},
          {"GET", "/api/v1/me", ""},
          {"POST", PATH, body},
          {"POST", PATH + "/" + id + "/release", ""},
          {"POST", PATH + "/" + id + "/terminal-token", ""},
        }) {
      Answer answer =
          server.call(request[0], request[1], token, request[2], "X-Idempotency-Key", "g");
      assertThat(answer.status()).as(request[1] + answer.body()).isEqualTo(503);
      assertThat(answer.json().path("code").asText()).isEqualTo("upstream_error");
      assertThat(Integer.parseInt(answer.headers().get("retry-after"))).isPositive();
    }
    assertThat(server.call("GET", "/healthz", "", "").status()).isEqualTo(200);
    assertThat(server.call("GET", "/readyz", "", "").status()).isEqualTo(503);
  }

  private static void echoes(Process open, String text) throws IOException {
    open.getOutputStream().write((text + "\n").getBytes(UTF_8));
    open.getOutputStream().flush();
    assertThat(new String(open.getInputStream().readNBytes(text.length() + 1), UTF_8))
        .isEqualTo(text + "\n");
  }

  private static int count(Database database, String table) {
    return database.read(
        tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
  }
}
