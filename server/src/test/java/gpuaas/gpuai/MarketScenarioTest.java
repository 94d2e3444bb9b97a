package gpuaas.gpuai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.access.KeyPairs;
import gpuaas.catalog.Price;
import gpuaas.catalog.PriceStore;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.spi.Tier;
import gpuaas.vastai.VastaiApiSim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GPUs that only a market has, from the request to the market's own books. */
class MarketScenarioTest {

  private static final String KEY = "a-key-of-the-scenario";
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration LONG = Duration.ofHours(30);

  @TempDir private Path folder;

  private final Leaping clock = new Leaping();
  private SimServer sim;
  private TestServer server;
  private GpuaiClient client;
  private KeyPairs.Pair pair;

  /**
   * A time that lags behind that of the system, until it leaps there. Never ahead of it: what picks
   * due work goes by the system's.
   */
  private static final class Leaping implements InstantSource {
    private volatile Duration behind = LONG;

    @Override
    public Instant instant() {
      return Instant.now().minus(behind).truncatedTo(ChronoUnit.MICROS);
    }

    void leap() {
      behind = Duration.ZERO;
    }
  }

  @BeforeEach
  void start() throws Exception {
    sim = VastaiApiSim.server(clock, SimRules.quick(), folder, KEY, 1).start(0);
    Map<String, String> settings = new HashMap<>();
    settings.put("PROVIDER_LOCAL_TYPE", "local");
    settings.put("PROVIDER_VASTAI_BASE_URL", sim.url().toString());
    settings.put("PROVIDER_VASTAI_API_KEY", KEY);
    settings.put("PROVIDER_VASTAI_CALLS_PER_SECOND", "1000");
    settings.put("PROVIDER_VASTAI_BURST", "100");
    settings.put("PROVIDER_VASTAI_LOOK_EVERY", "0s");
    settings.put("PROVIDER_VASTAI_SIMULATED", "true");
    settings.put("LEASE_WATCH_EVERY", "500ms");
    settings.put("LEASE_METER_EVERY", "1s");
    settings.put("GPUAI_CAPACITY_WAIT", "5s");
    settings.put("RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "1000");
    settings.put("RATE_LIMIT_GPUAI_REQUESTS_BURST", "1000");
    Map<String, String> environment = new HashMap<>();
    settings.forEach((name, value) -> environment.put("GPUAAS_" + name, value));
    server = TestServer.start(environment, clock);
    client = GpuaiClient.of(server, Profile.DOCUMENT, server.apiKey("full_access"));
    pair = KeyPairs.make("market");
    client.addSshKey(pair.publicKey().line());
  }

  @AfterEach
  void stop() {
    server.close();
    sim.close();
  }

  @Test
  void aLeaseOfWhatOnlyTheMarketHas() throws Exception {
    // Placed at the market, entered through our gateway, given back, and billed as it bills us.
    String id = rent();
    assertThat(sim.market().ledger())
        .singleElement()
        .satisfies(bill ->
            assertThat(bill.label())
                .startsWith(server.running().deployment() + "/" + id + "/1/1x"));

    JsonNode instance = client.get("/instances/" + id + "?include=credentials").json();
    Path key = Shell.keyFile(Files.createDirectory(folder.resolve("client")), pair);
    Shell.Ran ran = Shell.inside(connection(instance, id), key, "pwd; echo said >&2; exit 7");
    String machine = sim.market().ledger().getFirst().id();
    assertThat(ran).isEqualTo(new Shell.Ran(7, folder.resolve(machine) + "\n", "said\n"));

    clock.leap();
    Eventually.within(SOON, "all of it is metered", () -> used("gpu_seconds") >= LONG.toSeconds());
    Answer ending = client.delete("/instances/" + id);
    assertThat(client.awaitEnd(ending.json()).path("state").asText()).isEqualTo("succeeded");

    SimRental.Bill bill = sim.market().ledger().getFirst();
    assertThat(bill.open()).isFalse();
    assertThat(used("gpu_seconds") * 1000)
        .isCloseTo(bill.gpuMillis(), Percentage.withPercentage(1));
    assertThat(used("cost_cents") * 10_000).isCloseTo(bill.micros(), Percentage.withPercentage(1));
    assertThat(Shell.inside(connection(instance, id), key, "true").exit()).isEqualTo(255);
  }

  @Test
  void twoLeasesNeverTakeOneOffer() {
    // Each offer is one machine: the second lease takes another, before the market says so.
    String first = rent();
    String second = rent();
    assertThat(sim.market().ledger()).hasSize(2);
    assertThat(sim.calls("create")).isEqualTo(2);
    client.awaitEnd(client.delete("/instances/" + first).json());
    client.awaitEnd(client.delete("/instances/" + second).json());
    assertThat(sim.market().ledger()).noneMatch(SimRental.Bill::open);
  }

  @Test
  void nothingIsRentedForMoreThanWeTakeForIt() {
    // The price of a lease is fixed: when we ask less than any market does, the lease waits, and
    // then says that there is nothing; nobody pays the difference.
    Price low =
        new Price(
            Optional.empty(), "RTX 4090", Optional.empty(), Tier.ON_DEMAND, 1, 1000, Instant.EPOCH);
    server.running().database().run(tx -> PriceStore.put(tx, low));
    String body = "{\"gpu_type\": \"rtx_4090\", \"gpu_count\": 1, \"tier\": \"on_demand\"}";
    JsonNode done = client.awaitEnd(client.post("/instances", body).json());
    assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("failed");
    assertThat(sim.calls("create")).isZero();
  }

  private String rent() {
    String body = "{\"gpu_type\": \"rtx_4090\", \"gpu_count\": 1, \"tier\": \"on_demand\"}";
    JsonNode done = client.awaitEnd(client.post("/instances", body).json());
    assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("succeeded");
    return done.path("resource_id").asText();
  }

  /** Over all that was used. */
  private long used(String what) {
    long sum = 0;
    for (JsonNode row : client.get("/usage?bucket=month").json().path("data")) {
      sum += row.path(what).asLong();
    }
    return sum;
  }

  private static ObjectNode connection(JsonNode instance, String id) {
    return GpuaiClient.JSON
        .createObjectNode()
        .put("host", instance.at("/connection/hostname").asText())
        .put("port", instance.at("/connection/port").asInt())
        .put("username", id);
  }
}
