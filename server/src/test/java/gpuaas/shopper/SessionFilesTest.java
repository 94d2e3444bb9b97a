package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.tensordock.TensordockApiSim;
import gpuaas.vastai.VastaiApiSim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code storage_policy} promises, on machines of markets and on our own. */
class SessionFilesTest {

  private static final String KEY = "a-key-of-the-files";
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private final InstantSource clock = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private final Map<String, String> environment = new HashMap<>();
  private final DatabaseSettings database = TestDatabase.settings();
  private Path data;
  private SimServer vastai;
  private SimServer tensordock;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    vastai = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("v"), KEY, 1).start(0);
    tensordock =
        TensordockApiSim.server(clock, SimRules.quick(), folder.resolve("t"), KEY, 1).start(0);
    for (Map.Entry<String, SimServer> market :
        Map.of("VASTAI", vastai, "TENSORDOCK", tensordock).entrySet()) {
      String prefix = "GPUAAS_PROVIDER_" + market.getKey() + "_";
      environment.put(prefix + "BASE_URL", market.getValue().url().toString());
      environment.put(prefix + "API_KEY", KEY);
      environment.put(prefix + "CALLS_PER_SECOND", "1000");
      environment.put(prefix + "BURST", "100");
      environment.put(prefix + "LOOK_EVERY", "0s");
      environment.put(prefix + "SIMULATED", "true");
    }
    environment.put("GPUAAS_PROVIDER_LOCAL_TYPE", "local");
    environment.put("GPUAAS_LEASE_WATCH_EVERY", "500ms");
    environment.put("GPUAAS_ARCHIVE_FOLDER", folder.resolve("archives").toString());
    environment.put("GPUAAS_ARCHIVE_MIB_MOST", "1");
    data = Files.createTempDirectory("gpuaas-session-files");
    server = serve();
  }

  private TestServer serve() throws Exception {
    return TestServer.start(data, Database.open(database), environment);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    vastai.close();
    tensordock.close();
    new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
  }

  private Answer call(String method, String path, String body) {
    Answer answer = TestServer.send(method, server.shopperUrl() + path, Map.of(), body);
    ShopperContract.check(method, path, answer);
    return answer;
  }

  /** A session that runs, and the key that opens it. */
  private record Open(String id, JsonNode session, Path key) {

    Shell.Ran run(String command) throws Exception {
      return Shell.inside(ShopperScenarioTest.connection(session), key, command);
    }
  }

  private Open open(String provider, String policy) throws Exception {
    JsonNode offers = call("GET", "/api/v1/inventory?provider=" + provider + "&limit=1", "").json();
    String offer = offers.path("offers").path(0).path("id").asText();
    Answer created =
        call(
            "POST",
            "/api/v1/sessions",
            "{\"consumer_id\": \"nightly\", \"offer_id\": \""
                + offer
                + "\", \"workload_type\": \"training\", \"reservation_hours\": 1,"
                + " \"storage_policy\": \""
                + policy
                + "\"}");
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    String id = created.json().path("session").path("id").asText();
    JsonNode running = await(id, "running");
    KeyPairs.Pair pair = KeyPairs.read(created.json().path("ssh_private_key").asText());
    Path key = Shell.keyFile(Files.createDirectories(folder.resolve(id)), pair);
    return new Open(id, running, key);
  }

  private JsonNode await(String id, String status) {
    Eventually.within(
        SOON, "the session is " + status, () -> get(id).path("status").asText().equals(status));
    return get(id);
  }

  private JsonNode get(String id) {
    return call("GET", "/api/v1/sessions/" + id, "").json();
  }

  private void finish(String id) {
    Answer done = call("POST", "/api/v1/sessions/" + id + "/done", "");
    assertThat(done.status()).as(done.toString()).isEqualTo(200);
    await(id, "stopped");
  }

  @Test
  void whatIsPreservedComesBackOnAnotherMachine() throws Exception {
    // From a machine of one market to our own, from there to another market; not to who did not
    // ask.
    Open first = open("vastai", "preserve");
    assertThat(first.session().path("storage_policy").asText()).isEqualTo("preserve");
    assertThat(first.run("mkdir -p run && echo 41 > run/step && cat run/step").out().strip())
        .isEqualTo("41");
    finish(first.id());
    assertThat(vastai.market().ledger()).singleElement().matches(bill -> !bill.open());

    Open second = open("local", "preserve");
    assertThat(second.run("cat run/step && echo 42 > run/step").out().strip()).isEqualTo("41");
    finish(second.id());

    Open third = open("tensordock", "preserve");
    assertThat(third.run("cat run/step").out().strip()).isEqualTo("42");
    finish(third.id());

    Open plain = open("local", "destroy");
    assertThat(plain.session().path("storage_policy").asText()).isEqualTo("destroy");
    assertThat(plain.run("ls run || echo nothing").out()).contains("nothing");
    finish(plain.id());
  }

  @Test
  void aServerThatIsKilledMeanwhileStillKeepsThem() throws Exception {
    // What was being taken is taken again by the next server, and the machine is gone after that.
    Open session = open("local", "preserve");
    assertThat(session.run("head -c 900000 /dev/urandom > noise; sha256sum noise").exit()).isZero();
    String sum = session.run("sha256sum noise").out();
    call("POST", "/api/v1/sessions/" + session.id() + "/done", "");
    server.close();
    server = serve();
    await(session.id(), "stopped");
    Open next = open("local", "preserve");
    assertThat(next.run("sha256sum noise").out()).isEqualTo(sum);
    finish(next.id());
  }

  @Test
  void whatCannotBePreservedIsSaid() throws Exception {
    // More than may be kept: the session says so, and is over all the same.
    Open session = open("vastai", "preserve");
    assertThat(session.run("head -c 3000000 /dev/urandom > noise").exit()).isZero();
    call("POST", "/api/v1/sessions/" + session.id() + "/done", "");
    JsonNode stopped = await(session.id(), "stopped");
    assertThat(stopped.path("error").asText()).startsWith("its files could not be preserved");
    assertThat(vastai.market().ledger()).singleElement().matches(bill -> !bill.open());
  }
}
