package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import gpuaas.db.Database;
import gpuaas.main.RouteCalls.Actor;
import gpuaas.main.RouteCalls.Call;
import gpuaas.main.RouteCalls.Maker;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * S2: each route that changes something is called with fields that are not its caller's to set.
 * They are refused or mean nothing: nothing of them is in the answer or in any row of the database,
 * nothing of another tenant is touched, and nobody is more than before.
 */
class MassAssignmentTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PLANTED_NUMBER = 77_777_001L;
  private static final String PLANTED_TEXT = "planted-by-mass-assignment";
  private static final String PLANTED_TIME = "2001-02-03T04:05:06Z";
  private static final String PLANTED_ID = "77777777-0000-4000-8000-777777777777";

  private static final List<String> NUMBERS =
      List.of(
          "price",
          "price_per_hour",
          "price_per_gpu_hour",
          "price_per_gpu_hour_micros",
          "gpu_hourly_price_minor",
          "unit_price",
          "balance",
          "balance_micros",
          "funds_micros",
          "held_micros",
          "spent_micros",
          "credits",
          "accrued_cost_minor",
          "total_cost");

  private static final List<String> TIMES =
      List.of(
          "created_at",
          "updated_at",
          "made_at",
          "launched_at",
          "active_at",
          "released_at",
          "revoked_at",
          "deleted_at",
          "last_used_at",
          "last_seen_at");

  private static final List<String> TEXTS =
      List.of(
          "state",
          "status",
          "phase",
          "slug_of_org",
          "secret",
          "hash",
          "prefix",
          "requested_by",
          "provider");

  private static TestServer server;
  private static Map<String, Maker> makers;
  private static RouteCalls calls;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "64xH200",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "100000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "100000",
                "GPUAAS_RATE_LIMIT_TERMINAL_TOKEN_REQUESTS_PER_MINUTE", "100000",
                "GPUAAS_GITHUB_URL", "http://127.0.0.1:1025",
                "GPUAAS_SHOPPER_PLACEMENT_WAIT", "1s",
                "GPUAAS_SHOPPER_DESTROY_WAIT", "1s",
                "GPUAAS_WEBHOOK_ALLOW_PRIVATE", "true"));
    calls = new RouteCalls(server, "http://127.0.0.1:1025/");
    makers = new TreeMap<>(calls.makers());
    makers.putAll(new OtherRouteCalls(calls).makers());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  @DisplayName("S2: every route of every dialect that changes something is walked")
  void everyChangeIsWalked() {
    Set<String> known = new TreeSet<>(makers.keySet());
    known.addAll(OtherRouteCalls.PROOFS.keySet());
    assertThat(known).isEqualTo(RouteCalls.changing(server.running().dialects()).keySet());
  }

  @Test
  @DisplayName(
      "S2: price, owner, state, balance, organisation, project and role are nobody's to set")
  void whatIsNotTheirsToSetMeansNothing() throws Exception {
    Actor actor = calls.actor("assigning");
    Actor victim = calls.actor("victim");
    String tenant =
        server.call("GET", "/api/v1/me", victim.token(), "").json().path("tenant_id").asText();
    assertThat(tenant).isNotEmpty();
    ObjectNode planted = planted(victim, tenant);
    Map<String, Set<String>> theirs = fieldsOfTheContract();
    List<String> wrong = new ArrayList<>();
    Map<String, Integer> statuses = new TreeMap<>();
    List<String> marks =
        List.of(
            victim.id(),
            victim.project(),
            tenant,
            PLANTED_ID,
            PLANTED_TEXT,
            "2001-02-03",
            "" + PLANTED_NUMBER);
    Map<String, Long> before = mentions(marks);
    for (Map.Entry<String, Maker> each : makers.entrySet()) {
      String route = each.getKey();
      Rank start = Rank.now();
      Answer plain = calls.send(route, each.getValue().make(actor), Map.of());
      Rank afterPlain = Rank.now();
      Call honest = each.getValue().make(actor);
      ObjectNode body = with(honest.body(), planted, theirs.getOrDefault(route, Set.of()));
      Answer answer = calls.send(route, honest.with(body.toString()), Map.of());
      statuses.put(route, answer.status());
      Rank afterHostile = Rank.now();
      if (answer.status() >= 500 && plain.status() < 500) {
        wrong.add(route + " fails: " + answer);
      }
      for (String mark : marks) {
        if (answer.status() < 300 && answer.body().contains(mark)) {
          wrong.add(route + " answers with what was planted: " + mark + " in " + answer.body());
        }
      }
      if (answer.status() < 300
          && !afterHostile.minus(afterPlain).equals(afterPlain.minus(start))) {
        wrong.add(route + " makes somebody more than they were");
      }
      Map<String, Long> now = mentions(marks);
      if (!now.equals(before)) {
        wrong.add(route + " wrote what was planted: " + difference(before, now));
        before = now;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "mass assignment: %d routes, %d fields; refused: %s%n",
        makers.size(),
        planted.size(),
        statuses.entrySet().stream().filter(one -> one.getValue() >= 300).toList());
    assertThat(wrong).isEmpty();
  }

  private static ObjectNode planted(Actor victim, String tenant) {
    ObjectNode planted = JSON.createObjectNode();
    NUMBERS.forEach(name -> planted.put(name, PLANTED_NUMBER));
    TIMES.forEach(name -> planted.put(name, PLANTED_TIME));
    TEXTS.forEach(name -> planted.put(name, PLANTED_TEXT));
    List.of("owner", "owner_id", "user_id", "person_id", "created_by", "principal_id", "actor_id")
        .forEach(name -> planted.put(name, victim.id()));
    List.of("org_id", "tenant_id", "tenant", "organization_id")
        .forEach(name -> planted.put(name, tenant));
    List.of("project_id", "project", "default_project_id")
        .forEach(name -> planted.put(name, victim.project()));
    List.of("id", "allocation_id", "instance_id", "lease_id", "operation_id")
        .forEach(name -> planted.put(name, PLANTED_ID));
    planted.put("role", "owner").put("tenant_role", "owner").put("project_role", "owner");
    planted.put("admin", true).put("is_admin", true).put("platform_admin", true);
    planted.putArray("roles").add("admin");
    return planted;
  }

  /** A body with all of that which is not the caller's to set there. */
  private static ObjectNode with(String body, ObjectNode planted, Set<String> theirs)
      throws IOException {
    ObjectNode all = body.isEmpty() ? JSON.createObjectNode() : (ObjectNode) JSON.readTree(body);
    planted
        .properties()
        .forEach(field -> {
          if (!all.has(field.getKey()) && !theirs.contains(field.getKey())) {
            all.set(field.getKey(), field.getValue());
          }
        });
    return all;
  }

  /** By route, what the contract lets callers say in a body. */
  private static Map<String, Set<String>> fieldsOfTheContract() throws IOException {
    JsonNode contract =
        new ObjectMapper(new YAMLFactory()).readTree(Path.of("../docs/api/gpuaas.yaml").toFile());
    Map<String, Set<String>> fields = new HashMap<>();
    for (Map.Entry<String, JsonNode> path : contract.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        String schema = operation.getValue().path("requestBody").findPath("$ref").asText("");
        Set<String> names = new TreeSet<>();
        if (!schema.isEmpty()) {
          contract
              .at(schema.substring(1))
              .path("properties")
              .fieldNames()
              .forEachRemaining(names::add);
        }
        fields.put(
            "gpuaas-api " + operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey(),
            names);
      }
    }
    return fields;
  }

  /** How much power there is, all in all. */
  private record Rank(long owners, long administrators) {
    static Rank now() {
      return server
          .running()
          .database()
          .read(tx ->
              new Rank(
                  tx.query(
                          "select (select count(*) from tenant_member where role = 'owner') +"
                              + " (select count(*) from project_member where role = 'owner') +"
                              + " (select count(*) from service_account where role = 'owner')")
                      .mapTo(Long.class)
                      .one(),
                  tx.query("select count(*) from person where admin").mapTo(Long.class).one()));
    }

    Rank minus(Rank before) {
      return new Rank(owners - before.owners(), administrators - before.administrators());
    }
  }

  /** In which tables these are, and in how many rows. */
  private static Map<String, Long> mentions(List<String> marks) {
    Database database = server.running().database();
    return database.read(tx -> {
      Map<String, Long> found = new TreeMap<>();
      for (String table :
          tx.query("select tablename from pg_tables where schemaname = 'public'")
              .mapTo(String.class)
              .list()) {
        for (String mark : marks) {
          long rows =
              tx.query(
                      "select count(*) from \""
                          + table
                          + "\" t where t::text like '%' || :mark || '%'")
                  .bind("mark", mark)
                  .mapTo(Long.class)
                  .one();
          if (rows > 0) {
            found.put(table + " " + mark, rows);
          }
        }
      }
      return found;
    });
  }

  private static Map<String, Long> difference(Map<String, Long> before, Map<String, Long> now) {
    Map<String, Long> more = new TreeMap<>(now);
    before.forEach((name, count) -> more.remove(name, count));
    return more;
  }

  @Test
  @DisplayName("S2: a script cannot hold all offers without funds")
  void nobodyHoldsWhatTheyCannotPay() throws Exception {
    // An hour costs 4.50 $, and there are 5 $: one of fifty is accepted, whatever the way in.
    try (TestServer prepaid =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200",
                "GPUAAS_LEDGER_MODE", "prepaid",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "1000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "1000",
                "GPUAAS_LEDGER_STARTING_CREDIT_MICROS", "5000000"))) {
      String token = prepaid.token("dev-user", "dev123");
      String wanted =
          "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\"}";
      List<Future<Answer>> asked = new ArrayList<>();
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 50; i++) {
          asked.add(
              threads.submit(() -> prepaid.call("POST", "/api/v1/allocations", token, wanted)));
        }
      }
      Map<Integer, Integer> counts = new TreeMap<>();
      for (Future<Answer> one : asked) {
        counts.merge(one.get().status(), 1, Integer::sum);
      }
      assertThat(counts).isEqualTo(Map.of(201, 1, 409, 49));
      JsonNode credits = prepaid.call("GET", "/api/v1/credits", token, "").json();
      assertThat(credits.path("funds_micros").asLong() + credits.path("held_micros").asLong())
          .isLessThanOrEqualTo(5_000_000);
      long leases =
          prepaid
              .running()
              .database()
              .read(tx -> tx.query("select count(*) from lease").mapTo(Long.class).one());
      assertThat(leases).as("who is refused holds nothing").isEqualTo(1);
    }
  }
}
