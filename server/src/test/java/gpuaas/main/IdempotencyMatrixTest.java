package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import gpuaas.http.Dialect;
import gpuaas.http.Route;
import gpuaas.main.RouteCalls.Actor;
import gpuaas.main.RouteCalls.Call;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * R12: every route that changes something and takes an idempotency key, called many times at once
 * with one key. A new route fails this test until {@link RouteCalls} knows how to call it.
 */
class IdempotencyMatrixTest {

  private static final Set<String> DIALECTS = Set.of("gpuaas-api", "gpuai", "gpuai-sdk");
  private static final String REPLAYED = "idempotent-replayed";
  private static final int AT_ONCE = 12;
  private static final int MANY_AT_ONCE = 50;

  /** Those that cost money or open something when they are done twice. */
  private static final Set<String> MANY =
      Set.of(
          "gpuaas-api POST /api/v1/allocations",
          "gpuaas-api POST /api/v1/api-keys",
          "gpuai POST /v1/instances");

  private static TestServer server;
  private static RouteCalls calls;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "16xH200",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "100000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "100000",
                "GPUAAS_WEBHOOK_ALLOW_PRIVATE", "true"));
    calls = new RouteCalls(server, "http://127.0.0.1:1025/");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<Dialect> dialects() {
    return server.running().dialects().stream()
        .filter(dialect -> DIALECTS.contains(dialect.name()))
        .toList();
  }

  @Test
  @DisplayName("R12: a route that changes something takes a key, or says why not")
  void everyChangeTakesAKeyOrSaysWhyNot() {
    Map<String, Route> changing = RouteCalls.changing(dialects());
    Set<String> known = new TreeSet<>(calls.makers().keySet());
    known.addAll(RouteCalls.WITHOUT_KEY.keySet());
    assertThat(known).isEqualTo(changing.keySet());
    assertThat(calls.makers().keySet())
        .doesNotContainAnyElementsOf(RouteCalls.WITHOUT_KEY.keySet());
  }

  @Test
  @DisplayName("R12: effect and answer are one transaction, so that no crash comes between them")
  void effectAndAnswerAreOneTransaction() {
    RouteCalls.changing(dialects())
        .forEach((name, route) -> {
          if (calls.makers().containsKey(name)) {
            assertThat(route.handler())
                .as(name)
                .isInstanceOfAny(Route.Handler.Once.class, Route.Handler.OnceTogether.class);
          }
        });
  }

  @Test
  @DisplayName("R12: the contract names the key where it counts, and nowhere else")
  void theContractNamesTheKey() throws IOException {
    JsonNode contract =
        new ObjectMapper(new YAMLFactory()).readTree(Path.of("../docs/api/gpuaas.yaml").toFile());
    Set<String> named = new TreeSet<>();
    for (Map.Entry<String, JsonNode> path : contract.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        if (operation.getValue().findValuesAsText("$ref").stream()
            .anyMatch(reference -> reference.endsWith("/IdempotencyKey"))) {
          String method = operation.getKey().toUpperCase(Locale.ROOT);
          named.add("gpuaas-api " + method + " " + path.getKey());
        }
      }
    }
    assertThat(named)
        .isEqualTo(
            calls.makers().keySet().stream()
                .filter(name -> name.startsWith("gpuaas-api"))
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  @DisplayName("R12: one key at once is one effect and equal answers, on every route")
  void oneKeyIsOneEffect() throws Exception {
    Actor actor = calls.actor("matrix");
    Actor other = calls.actor("matrix-of-another-tenant");
    List<String> wrong = new ArrayList<>();
    int number = 0;
    long start = System.nanoTime();
    for (Map.Entry<String, RouteCalls.Maker> each : calls.makers().entrySet()) {
      number++;
      Walk walk = new Walk(each.getKey(), "r12-" + number, wrong);
      Call call = each.getValue().make(actor);
      walk.atOnce(call);
      walk.anotherBody(call);
      walk.another(each.getValue().make(other));
    }
    System.out.printf(
        Locale.ROOT,
        "idempotency matrix: %d routes in %d ms%n",
        number,
        (System.nanoTime() - start) / 1_000_000);
    assertThat(wrong).isEmpty();
  }

  /** One route with one key. */
  private record Walk(String route, String key, List<String> wrong) {

    private Answer send(Call call, int turn) {
      Map<String, String> more = new HashMap<>();
      more.put("Idempotency-Key", key);
      more.put(route.startsWith("gpuaas") ? "X-Correlation-Id" : "X-Request-Id", trace(turn));
      return calls.send(route, call, more);
    }

    private String trace(int turn) {
      return key + "-" + turn;
    }

    void atOnce(Call call) throws Exception {
      int turns = MANY.contains(route) ? MANY_AT_ONCE : AT_ONCE;
      List<Future<Answer>> sent = new ArrayList<>();
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < turns; i++) {
          int turn = i;
          sent.add(threads.submit(() -> send(call, turn)));
        }
      }
      List<Answer> answers = new ArrayList<>();
      for (Future<Answer> one : sent) {
        answers.add(one.get());
      }
      boolean shut = RouteCalls.SHUTS_THE_DOOR.contains(route);
      List<Answer> good = answers.stream().filter(one -> !shut || one.status() != 404).toList();
      check(good.stream().map(Answer::status).distinct().count() == 1, "statuses " + answers);
      check(good.getFirst().status() / 100 == 2, "refused: " + good.getFirst());
      check(good.stream().map(Answer::body).distinct().count() == 1, "answers differ: " + good);
      check(
          good.stream().filter(one -> !one.headers().containsKey(REPLAYED)).count() == 1,
          "done more than once");
      check(acts(turns) <= 1, "acts in the trail: " + acts(turns));
    }

    /** How many of the requests did something that is in the audit trail. */
    private long acts(int turns) {
      List<String> traces = new ArrayList<>();
      for (int i = 0; i < turns; i++) {
        traces.add(trace(i));
      }
      return server
          .running()
          .database()
          .read(tx ->
              tx.query(
                      "select count(distinct correlation_id) from audit where result = 'success'"
                          + " and correlation_id = any(:traces)")
                  .bindArray("traces", String.class, traces)
                  .mapTo(Long.class)
                  .one());
    }

    void anotherBody(Call call) {
      Answer answer = send(call.with(call.body().isEmpty() ? "{}" : call.body() + " "), 1000);
      Answer different = send(call.with("{\"name\": \"another\", \"role\": \"viewer\"}"), 1001);
      int conflict = route.startsWith("gpuaas") ? 409 : 422;
      boolean shut = RouteCalls.SHUTS_THE_DOOR.contains(route);
      check(
          different.status() == conflict || (shut && different.status() == 404),
          "another body is told " + different);
      check(answer.status() < 500, "a body that differs in spaces is told " + answer);
    }

    void another(Call call) {
      Answer answer = send(call, 2000);
      check(answer.status() / 100 == 2, "another tenant with this key is told " + answer);
      check(!answer.headers().containsKey(REPLAYED), "another tenant gets the answer of the first");
    }

    private void check(boolean right, String problem) {
      if (!right) {
        wrong.add(route + ": " + problem);
      }
    }
  }
}
