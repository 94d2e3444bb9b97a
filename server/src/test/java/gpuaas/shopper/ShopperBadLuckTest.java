package gpuaas.shopper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.market.sim.SimFaults;
import gpuaas.market.sim.SimOffer;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.market.sim.SimSetup;
import gpuaas.spi.Eventually;
import gpuaas.vastai.VastaiApiSim;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bad luck in the middle of a create: no machine is left that nobody owns. */
class ShopperBadLuckTest {

  private static final String KEY = "a-key-of-the-scenario";
  private static final Duration SOON = Duration.ofSeconds(40);
  private static final String SESSIONS = "/api/v1/sessions";

  @TempDir private Path folder;

  private final InstantSource clock = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private SimServer market;

  @BeforeEach
  void openMarket() {
    market = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("v"), KEY, 1).start(0);
  }

  @AfterEach
  void closeMarket() {
    market.close();
  }

  private Map<String, String> settings() {
    Map<String, String> environment = new HashMap<>();
    Map.of(
            "PROVIDER_VASTAI_BASE_URL", market.url().toString(),
            "PROVIDER_VASTAI_API_KEY", KEY,
            "PROVIDER_VASTAI_CALLS_PER_SECOND", "1000",
            "PROVIDER_VASTAI_BURST", "100",
            "PROVIDER_VASTAI_LOOK_EVERY", "0s",
            "PROVIDER_VASTAI_APPEAR_LIMIT", "1s",
            "PROVIDER_VASTAI_SIMULATED", "true",
            "LEASE_WATCH_EVERY", "500ms",
            "SWEEP_EVERY", "500ms")
        .forEach((name, value) -> environment.put("GPUAAS_" + name, value));
    return environment;
  }

  private static Answer call(TestServer server, String method, String path, String body) {
    return TestServer.send(method, server.shopperUrl() + path, Map.of(), body);
  }

  private static String wanted(TestServer server) {
    String offer =
        call(server, "GET", "/api/v1/inventory?provider=vastai&limit=1", "")
            .json()
            .at("/offers/0/id")
            .asText();
    return "{\"consumer_id\": \"c\", \"offer_id\": \""
        + offer
        + "\", \"workload_type\": \"llm\", \"reservation_hours\": 2}";
  }

  private static JsonNode awaitTheSession(TestServer server, String status) {
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        SOON,
        "there is a session that is " + status,
        () -> {
          Answer answer = call(server, "GET", SESSIONS, "");
          last[0] = answer.status() == 200 ? answer.json().at("/sessions/0") : answer.json();
          return last[0].path("status").asText().equals(status);
        });
    return last[0];
  }

  private List<SimRental.Bill> open() {
    return market.market().ledger().stream().filter(SimRental.Bill::open).toList();
  }

  @Test
  void theMarketCarriesOneRequestOutTwice() throws Exception {
    // Shows that of two machines for one request one is used, and the other is given back.
    try (TestServer server = TestServer.start(settings(), clock)) {
      assertThat(call(server, "POST", SESSIONS, wanted(server)).status()).isEqualTo(201);
      awaitTheSession(server, "running");
      SimRental first = market.market().rentals().getFirst();
      SimOffer other = market.market().offers().getFirst();
      market
          .market()
          .rent(other.number(), "99", first.label(), 50, first.details(), SimSetup.PLAIN, 0);
      assertThat(open()).hasSize(2);
      Eventually.within(SOON, "one is given back", () -> open().size() == 1);
      assertThat(open().getFirst().id()).isEqualTo(first.id());
      awaitTheSession(server, "running");
    }
  }

  @Test
  void aMachineThatIsNotFoundForLongAndThenShows() throws Exception {
    // Shows that a machine whose session was given up, as its market knew nothing of it, is given
    // back when it shows after all.
    market.market().unknownFor(Duration.ofSeconds(8));
    try (TestServer server = TestServer.start(settings(), clock)) {
      assertThat(call(server, "POST", SESSIONS, wanted(server)).status()).isEqualTo(201);
      awaitTheSession(server, "failed");
      assertThat(open()).hasSize(1);
      Eventually.within(SOON, "it is given back", () -> open().isEmpty());
    }
  }

  @Test
  void theCallerHangsUp() throws Exception {
    // Shows that a session whose caller hung up in mid-create is there, with its one machine, and
    // can be ended.
    market.faults().order(SimFaults.Kind.HANG, "create", 1, 1000);
    try (TestServer server = TestServer.start(settings(), clock)) {
      hangUp(server, wanted(server));
      Eventually.within(SOON, "the market is asked", () -> market.calls("create") == 1);
      JsonNode session = awaitTheSession(server, "running");
      assertThat(market.market().ledger()).hasSize(1);
      String path = SESSIONS + "/" + session.path("id").asText();
      assertThat(call(server, "DELETE", path, "").status()).isEqualTo(200);
      assertThat(open()).isEmpty();
    }
  }

  private static void hangUp(TestServer server, String body) throws IOException {
    URI uri = URI.create(server.shopperUrl());
    String request =
        "POST "
            + SESSIONS
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + body.getBytes(UTF_8).length
            + "\r\n\r\n"
            + body;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), uri.getPort())) {
      socket.getOutputStream().write(request.getBytes(UTF_8));
      socket.getOutputStream().flush();
    }
  }

  @Test
  void theDatabaseGoesAwayWhileTheMarketIsAsked() throws Exception {
    // Shows that a machine that was made while there was no database to write it down is found by
    // its tag when there is one again, and is the session's.
    Path data = Files.createTempDirectory("gpuaas-bad-luck");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres = postgres(data);
    Database database = Database.open(postgres.settings("gpuaas", 8, Duration.ofSeconds(2)));
    try (TestServer server = TestServer.start(data, database, settings())) {
      String body = wanted(server);
      market.faults().order(SimFaults.Kind.HANG, "create", 1, 3000);
      Thread caller = Thread.ofVirtual().start(() -> call(server, "POST", SESSIONS, body));
      Eventually.within(SOON, "the market is asked", () -> market.calls("create") == 1);
      postgres.close();
      Eventually.within(SOON, "the machine is there", () -> open().size() == 1);
      caller.join();
      postgres = postgres(data);
      JsonNode session = awaitTheSession(server, "running");
      assertThat(market.market().ledger()).hasSize(1);
      String path = SESSIONS + "/" + session.path("id").asText();
      assertThat(call(server, "DELETE", path, "").status()).isEqualTo(200);
      assertThat(open()).isEmpty();
    } finally {
      postgres.close();
    }
  }

  private static EmbeddedPostgres postgres(Path data) {
    Path programs = Path.of(System.getProperty("java.io.tmpdir"), "gpuaas-test-programs");
    return EmbeddedPostgres.start(programs, data.resolve("postgres"), false, "nobody");
  }
}
