package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.main.ChaosServer;
import gpuaas.main.SharedTime;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.tensordock.TensordockApiSim;
import gpuaas.vastai.VastaiApiSim;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many sessions at two markets where everything goes wrong that can, with a server that is killed
 * again and again: in the end no machine is forgotten, and the bills agree.
 *
 * <p>{@code -Dchaos.seed} chooses what goes wrong and when, {@code -Dchaos.sessions} and {@code
 * -Dchaos.kills} how much; threads are not chosen by the seed, so a run is alike and not the same.
 *
 * <p>The clients come in waves. When all of a wave have what they wanted, or gave up, time leaps by
 * up to four hours, so that seconds do not count; then they end their sessions, each in its own
 * way.
 *
 * <p>What is compared: all that the market charges for machines that were usable at some time with
 * all that we charge for their leases. A market charges from when a machine starts until it is
 * destroyed, and for those that never answered; we promise to charge from the proof that it answers
 * to the wish to stop. The difference is seconds of each, and within the 1 %. So no lease may ever
 * cost more than its machines did.
 */
@Order(1)
class MarketChaosTest {

  private static final String KEY = "a-key-of-the-chaos";
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final Duration LEAP_MOST = Duration.ofHours(4);
  private static final int AT_ONCE = 40;
  private static final int MISHAPS_A_PHASE = 4;
  private static final Set<String> UNSETTLED = Set.of("pending", "provisioning", "stopping");

  private final long seed = Long.getLong("chaos.seed", 20_261_122);
  private final int sessions = Integer.getInteger("chaos.sessions", 200);
  private final int kills = Integer.getInteger("chaos.kills", 6);
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Map<String, SimServer> markets = new LinkedHashMap<>();

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  private Path folder;

  private SharedTime time;
  private Database database;
  private ChaosServer server;
  private ChaosMishaps mishaps;

  @BeforeEach
  void start() throws Exception {
    time = SharedTime.open(ChaosServer.time(folder)).lagging(Duration.ofHours(24));
    SimRules rules = SimRules.quick();
    markets.put(
        "vastai", VastaiApiSim.server(time, rules, folder.resolve("v"), KEY, seed).start(0));
    markets.put(
        "tensordock",
        TensordockApiSim.server(time, rules, folder.resolve("t"), KEY, seed & 0xffff).start(0));
    mishaps = new ChaosMishaps(List.copyOf(markets.values()), random.split());
    DatabaseSettings at = TestDatabase.settings();
    database = Database.open(at);
    server = ChaosServer.start(folder, at, settings());
  }

  private Map<String, String> settings() {
    Map<String, String> values = new HashMap<>();
    markets.forEach((name, market) -> {
      String prefix = "PROVIDER_" + name.toUpperCase(java.util.Locale.ROOT) + "_";
      values.put(prefix + "BASE_URL", market.url().toString());
      values.put(prefix + "API_KEY", KEY);
      values.put(prefix + "CALLS_PER_SECOND", "1000");
      values.put(prefix + "BURST", "100");
      values.put(prefix + "LOOK_EVERY", name.equals("vastai") ? "500ms" : "0s");
      values.put(prefix + "OFFERS_EVERY", "1s");
      values.put(prefix + "ANSWER_LIMIT", "5s");
      values.put(prefix + "SIMULATED", "true");
    });
    values.put("PROVIDER_CALL_LIMIT", "8s");
    values.put("LEASE_SETTLE", "10s");
    values.put("LEASE_BOOT_LIMIT", "12s");
    values.put("LEASE_METER_EVERY", "1s");
    values.put("LEASE_WATCH_EVERY", "1s");
    values.put("ARCHIVE_SAVE_LIMIT", "5s");
    values.put("ARCHIVE_RESTORE_LIMIT", "5s");
    values.put("SWEEP_EVERY", "2s");
    values.put("WORK_POLL_EVERY", "500ms");
    values.put("CATALOG_FRESH_FOR", "2s");
    values.put("CATALOG_RETRY_AFTER", "1s");
    values.put("OFFER_SUPPRESS_AFTER", "1000");
    values.put("SHOPPER_PLACEMENT_WAIT", "10s");
    values.put("SHOPPER_DESTROY_WAIT", "20s");
    Map<String, String> environment = new HashMap<>();
    values.forEach((name, value) -> environment.put("GPUAAS_" + name, value));
    return environment;
  }

  @AfterEach
  void stop() {
    server.close();
    markets.values().forEach(SimServer::close);
    database.close();
  }

  @Test
  void noMachineIsForgottenAndTheBillsAgree() {
    // Shows that under faults and kills every machine is destroyed or owned by one running session
    // at the end of each wave, that all can be ended, and that our bills are those of the markets.
    System.out.println("chaos.seed=" + seed);
    LocalDate firstDay = LocalDate.ofInstant(time.instant(), ZoneOffset.UTC);
    int waves = Math.max(1, Math.ceilDiv(sessions, AT_ONCE));
    List<Boolean> killed = killed(2 * waves);
    for (int wave = 0; wave < waves; wave++) {
      List<ChaosClient> clients = new ArrayList<>();
      for (int i = 0; i < Math.min(AT_ONCE, sessions); i++) {
        clients.add(new ChaosClient(server.url(), "c" + wave + "-" + i, random.split()));
      }
      phase(clients, ChaosClient::create, "create", killed.get(2 * wave));
      awaitEveryMachineHasItsSession();
      leap();
      phase(clients, ChaosClient::end, "destroy", killed.get(2 * wave + 1));
      awaitEveryMachineHasItsSession();
    }
    assertThat(server.kills()).isEqualTo(kills);
    assertThat(sessions().size()).isGreaterThanOrEqualTo(sessions * 9 / 10);
    endAll();
    theBillsAgree(firstDay);
  }

  /** In which phases the server is killed. */
  private List<Boolean> killed(int phases) {
    List<Boolean> killed = new ArrayList<>();
    for (int i = 0; i < phases; i++) {
      killed.add(i < kills);
    }
    for (int i = phases - 1; i > 0; i--) {
      java.util.Collections.swap(killed, i, random.nextInt(i + 1));
    }
    return killed;
  }

  /** All clients at once, while things go wrong. */
  private void phase(
      List<ChaosClient> clients, Consumer<ChaosClient> work, String operation, boolean kill) {
    mishaps.begin();
    long began = System.nanoTime();
    List<String> happened = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      clients.forEach(client -> threads.submit(() -> work.accept(client)));
      int killAt = kill ? random.nextInt(MISHAPS_A_PHASE) : -1;
      for (int i = 0; i < MISHAPS_A_PHASE; i++) {
        awaitCalls(operation, 1 + random.nextInt(8));
        happened.add(mishaps.next());
        if (i == killAt) {
          awaitCalls(operation, 1);
          server.killAndRestart();
          happened.add("KILLED");
        }
      }
      awaitCalls(operation, 8);
      mishaps.calm();
      mishaps.begin();
    }
    mishaps.calm();
    System.out.println(
        operation + " " + happened + " " + Duration.ofNanos(System.nanoTime() - began).toMillis());
  }

  /** Until so many more calls were made; not for long, as there may be none. */
  private void awaitCalls(String operation, int more) {
    long until = calls(operation) + more;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
    while (calls(operation) < until && System.nanoTime() < deadline) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  private long calls(String operation) {
    return markets.values().stream().mapToLong(market -> market.calls(operation)).sum();
  }

  /** Nothing is under way, and each machine that is paid for is that of one running session. */
  private void awaitEveryMachineHasItsSession() {
    long began = System.nanoTime();
    String[] seen = {""};
    try {
      Eventually.within(
          PATIENCE,
          "every machine has its session, with the seed " + seed,
          () -> {
            seen[0] = whatIsWrong();
            if (!seen[0].isEmpty()) {
              LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
            }
            return seen[0].isEmpty();
          });
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + "; " + seen[0], late);
    }
    System.out.println("settled " + Duration.ofNanos(System.nanoTime() - began).toMillis());
  }

  private String whatIsWrong() {
    List<String> machines = new ArrayList<>();
    markets
        .values()
        .forEach(market ->
            market.market().ledger().stream()
                .filter(SimRental.Bill::open)
                .forEach(bill -> machines.add(lease(bill))));
    Set<String> running = new HashSet<>();
    for (JsonNode session : sessions()) {
      String status = session.path("status").asText();
      if (UNSETTLED.contains(status)) {
        return session.path("id").asText() + " is " + status + " " + session;
      }
      if (status.equals("running")) {
        running.add(session.path("id").asText());
      }
    }
    List<String> owners = running.stream().sorted().toList();
    machines.sort(Comparator.naturalOrder());
    return owners.equals(machines)
        ? ""
        : "sessions " + owners + " and machines of " + machines + " differ";
  }

  private static String lease(SimRental.Bill bill) {
    return bill.label().split("[/.]", -1)[1];
  }

  private List<JsonNode> sessions() {
    List<JsonNode> all = new ArrayList<>();
    get("/api/v1/sessions").path("sessions").forEach(all::add);
    return all;
  }

  private JsonNode get(String path) {
    Answer answer = TestServer.send("GET", server.url() + path, Map.of(), "");
    assertThat(answer.status()).as(path + ": " + answer).isEqualTo(200);
    return answer.json();
  }

  /**
   * Much time goes by, and no session ends in it; all of it is written down before more happens.
   */
  private void leap() {
    Instant now = time.instant();
    Duration leap =
        sessions().stream()
            .filter(session -> session.path("status").asText().equals("running"))
            .map(session -> Instant.parse(session.path("expires_at").asText()))
            .map(end -> Duration.between(now, end).minusSeconds(5))
            .min(Comparator.naturalOrder())
            .filter(until -> until.compareTo(LEAP_MOST) < 0)
            .orElse(LEAP_MOST);
    if (leap.isNegative()) {
      return;
    }
    time.leap(leap);
    Instant after = time.instant();
    Eventually.within(PATIENCE, "all of it is metered", () -> openHoldsUsedTo(after) == 0);
  }

  private int openHoldsUsedTo(Instant before) {
    return database.read(tx ->
        tx.query(
                "select count(*) from hold where closed_at is null and started_at is not null"
                    + " and used_to < :before")
            .bind("before", before)
            .mapTo(Integer.class)
            .one());
  }

  private void endAll() {
    sessions().stream()
        .filter(session -> session.path("status").asText().equals("running"))
        .forEach(session -> {
          String path = server.url() + "/api/v1/sessions/" + session.path("id").asText();
          assertThat(TestServer.send("DELETE", path, Map.of(), "").status()).isEqualTo(200);
        });
    markets
        .values()
        .forEach(market -> assertThat(market.market().ledger()).noneMatch(SimRental.Bill::open));
    assertThat(sessions())
        .allSatisfy(
            session -> assertThat(session.path("status").asText()).isIn("stopped", "failed"));
  }

  private void theBillsAgree(LocalDate firstDay) {
    JsonNode ours =
        get("/api/v1/costs?start_date=" + firstDay + "&end_date=" + firstDay.plusDays(3))
            .path("by_provider");
    markets.forEach((name, market) -> {
      Map<String, Long> theirs = new HashMap<>();
      market.market().ledger().forEach(bill -> theirs.merge(lease(bill), bill.micros(), Long::sum));
      long usable = 0;
      long unusable = 0;
      for (Map.Entry<String, Long> each : theirs.entrySet()) {
        long charged = micros(get("/api/v1/costs?session_id=" + each.getKey()).path("total_cost"));
        assertThat(charged).as(each.getKey()).isLessThanOrEqualTo(each.getValue() + 1000);
        usable += charged == 0 ? 0 : each.getValue();
        unusable += charged == 0 ? each.getValue() : 0;
      }
      long charged = micros(ours.path(name));
      System.out.println(
          name
              + ": "
              + market.market().ledger().size()
              + " machines, we charge "
              + charged
              + ", they "
              + usable
              + ", and for what was never usable "
              + unusable);
      assertThat(usable).isPositive();
      assertThat(charged).as(name).isCloseTo(usable, Percentage.withPercentage(1));
    });
  }

  private static long micros(JsonNode dollars) {
    return new BigDecimal(dollars.asText()).movePointRight(6).longValueExact();
  }
}
