package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.http.Dialect;
import gpuaas.http.Route;
import gpuaas.main.TestServer.Answer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * How each route that changes something is called so that it does, for tests that walk them all.
 * Each call is made afresh, with something of its own to change. A new route is added here, or to
 * {@link #WITHOUT_KEY} with a reason.
 */
final class RouteCalls {

  /** Routes that take no idempotency key, and why. */
  static final Map<String, String> WITHOUT_KEY =
      Map.ofEntries(
          Map.entry("gpuaas-api POST /api/v1/auth/oidc/exchange", "the code works once"),
          Map.entry("gpuaas-api POST /api/v1/auth/token/refresh", "the token works once"),
          Map.entry("gpuaas-api POST /api/v1/auth/sa/token", "changes nothing; public"),
          Map.entry("gpuaas-api POST /api/v1/auth/personal/sign-in", "each is a session; public"),
          Map.entry("gpuaas-api POST /api/v1/auth/personal/sign-up", "the name is taken once"),
          Map.entry("gpuaas-api POST /api/v1/auth/logout", "ends what would replay it"),
          Map.entry(
              "gpuaas-api POST /api/v1/allocations/{id}/terminal-token",
              "the document: each token is another"),
          Map.entry("gpuai DELETE /v1/ssh-keys/{id}", "the document: none; gone is gone"),
          Map.entry("gpuai DELETE /v1/webhook-endpoints/{id}", "the document: none; gone is gone"),
          Map.entry("gpuai-sdk DELETE /sdk/v1/ssh-keys/{id}", "the document: none; gone is gone"),
          Map.entry(
              "gpuai-sdk DELETE /sdk/v1/webhook-endpoints/{id}",
              "the document: none; gone is gone"));

  /** After these the caller is not there any more, so that who comes late is told so. */
  static final Set<String> SHUTS_THE_DOOR =
      Set.of(
          "gpuaas-api POST /api/v1/tenant/leave",
          "gpuaas-api POST /api/v1/projects/{project_id}/leave");

  private static final Set<String> METHODS = Set.of("POST", "PUT", "PATCH", "DELETE");
  private static final String TYPE = "lease.running";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  /** A tenant with a project, its owner's log-in and key, and an operator's. */
  record Actor(String name, String id, String token, String project, String apiKey, String admin) {}

  /** A request that is answered with success the first time. */
  record Call(
      String method, String path, String credential, Optional<String> project, String body) {
    Map<String, String> headers() {
      Map<String, String> headers =
          new HashMap<>(
              Map.of("Authorization", "Bearer " + credential, "Content-Type", "application/json"));
      project.ifPresent(id -> headers.put("X-Project-ID", id));
      return headers;
    }

    Call with(String otherBody) {
      return new Call(method, path, credential, project, otherBody);
    }
  }

  /** Makes what a call needs, and the call. */
  interface Maker {
    Call make(Actor actor);
  }

  private final TestServer server;
  private final String hook;
  private final Map<String, Maker> makers = new TreeMap<>();

  /**
   * @param hook where webhooks may be sent
   */
  RouteCalls(TestServer server, String hook) {
    this.server = server;
    this.hook = hook;
    keys();
    money();
    new TenancyRouteCalls(this, server).makers().forEach(this::add);
    leases();
    webhooks();
    policies();
    gpuai("gpuai", "/v1");
    gpuai("gpuai-sdk", "/sdk/v1");
  }

  /** By the name of the dialect, the method and the path of the route. */
  Map<String, Maker> makers() {
    return makers;
  }

  /** What those routes of these dialects are called that change something. */
  static Map<String, Route> changing(List<Dialect> dialects) {
    Map<String, Route> routes = new TreeMap<>();
    for (Dialect dialect : dialects) {
      for (Route route : dialect.routes()) {
        if (METHODS.contains(route.method())) {
          routes.put(dialect.name() + " " + route.method() + " " + route.path(), route);
        }
      }
    }
    return routes;
  }

  /** A tenant of its own. */
  Actor actor(String name) {
    server.running().admittance().identities().ensure(name, "a long password", false);
    server.running().admittance().identities().ensure(name + "-admin", "a long password", true);
    String token = server.token(name, "a long password");
    JsonNode me = ask("GET", "/api/v1/me", token, "");
    String apiKey =
        ask("POST", "/api/v1/api-keys", token, "{\"name\": \"actor\"}").path("key").asText();
    ask("POST", "/api/v1/ssh-keys", token, sshKey("key"));
    return new Actor(
        name,
        me.path("id").asText(),
        token,
        me.path("project_id").asText(),
        apiKey,
        server.token(name + "-admin", "a long password"));
  }

  private String base(String route) {
    return switch (route.split(" ", 2)[0]) {
      case "gpuaas-api" -> server.apiUrl();
      case "gpudev" -> server.gpudevUrl();
      case "shopper" -> server.shopperUrl();
      default -> server.gpuaiUrl();
    };
  }

  Answer send(String route, Call call, Map<String, String> more) {
    Map<String, String> headers = call.headers();
    headers.putAll(more);
    return TestServer.send(call.method(), base(route) + call.path(), headers, call.body());
  }

  // --- the table ---

  private void add(String route, Maker maker) {
    makers.put("gpuaas-api " + route, maker);
  }

  static Call call(Actor actor, String method, String path, String body) {
    return new Call(method, path, actor.token(), Optional.empty(), body);
  }

  private void keys() {
    String ssh = "/api/v1/ssh-keys";
    add("POST " + ssh, a -> call(a, "POST", ssh, sshKey("key")));
    add(
        "DELETE " + ssh + "/{id}",
        a -> call(a, "DELETE", ssh + "/" + made(a, ssh, sshKey("key")), ""));
    String api = "/api/v1/api-keys";
    add("POST " + api, a -> call(a, "POST", api, named()));
    add("DELETE " + api + "/{id}", a -> call(a, "DELETE", api + "/" + made(a, api, named()), ""));
    add(
        "POST " + api + "/{id}/rotate",
        a -> call(a, "POST", api + "/" + made(a, api, named()) + "/rotate", ""));
    add(
        "DELETE /api/v1/auth/sessions/{id}",
        a -> call(a, "DELETE", "/api/v1/auth/sessions/" + otherSession(a), ""));
  }

  private String otherSession(Actor actor) {
    server.token(actor.name(), "a long password");
    for (JsonNode one : ask("GET", "/api/v1/auth/sessions", actor.token(), "").path("items")) {
      if (!one.path("current").asBoolean()) {
        return one.path("id").asText();
      }
    }
    throw new AssertionError("there is no other session");
  }

  private void money() {
    String project = "/api/v1/budgets/projects/";
    String key = "/api/v1/budgets/api-keys/";
    String much = "{\"most_micros\": 900000000000}";
    add(
        "PUT " + project + "{id}/{period}",
        a -> byAdmin(a, "PUT", project + a.project() + "/total", much));
    add(
        "DELETE " + project + "{id}/{period}",
        a -> {
          ask("PUT", project + a.project() + "/month", a.admin(), much);
          return byAdmin(a, "DELETE", project + a.project() + "/month", "");
        });
    add(
        "PUT " + key + "{id}/{period}",
        a -> byAdmin(a, "PUT", key + made(a, "/api/v1/api-keys", named()) + "/total", much));
    add(
        "DELETE " + key + "{id}/{period}",
        a -> {
          String path = key + made(a, "/api/v1/api-keys", named()) + "/total";
          ask("PUT", path, a.admin(), much);
          return byAdmin(a, "DELETE", path, "");
        });
  }

  private static Call byAdmin(Actor actor, String method, String path, String body) {
    return new Call(method, path, actor.admin(), Optional.empty(), body);
  }

  private void leases() {
    String path = "/api/v1/allocations";
    String wanted =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\"}";
    add("POST " + path, a -> call(a, "POST", path, wanted));
    add(
        "POST " + path + "/{id}/release",
        a -> call(a, "POST", path + "/" + made(a, path, wanted) + "/release", ""));
    add(
        "POST " + path + "/{id}/restart",
        a -> {
          String id = made(a, path, wanted);
          server.awaitStatus(a.token(), id, "active");
          return call(a, "POST", path + "/" + id + "/restart", "");
        });
    String groups = "/api/v1/allocation-groups";
    String several = wanted.replace("{", "{\"allocations_total\": 1, ");
    add("POST " + groups, a -> call(a, "POST", groups, several));
    add(
        "POST " + groups + "/{id}/release",
        a -> call(a, "POST", groups + "/" + made(a, groups, several) + "/release", ""));
    String admin = "/api/v1/admin/allocations/";
    add(
        "POST " + admin + "{id}/force-release",
        a -> byAdmin(a, "POST", admin + made(a, path, wanted) + "/force-release", ""));
    add(
        "POST " + admin + "{id}/force-cleanup",
        a -> {
          String id = made(a, path, wanted);
          ask("POST", path + "/" + id + "/release", a.token(), "");
          server.awaitStatus(a.token(), id, "released");
          String proof = "{\"runtime_verified_absent\": true, \"evidence\": \"looked\"}";
          return byAdmin(a, "POST", admin + id + "/force-cleanup", proof);
        });
  }

  private void policies() {
    String one = "/rate_limit.requests_per_minute/";
    String own = "/api/v1/policies";
    slot(own, own + one + "tenant", own + "/{key}/tenant");
    slot(own, own + one + "projects/{project_id}", own + "/{key}/projects/{project_id}");
    String all = "/api/v1/admin/policies";
    slot(all, all + one + "global", all + "/{key}/global");
    slot(all, all + one + "tenants/{id}", all + "/{key}/tenants/{id}");
    slot(all, all + one + "projects/{id}", all + "/{key}/projects/{id}");
  }

  private void slot(String kind, String path, String route) {
    String value = "{\"value\": 500000}";
    boolean admin = kind.contains("admin");
    Function<Actor, String> where =
        a ->
            path.replace("{project_id}", a.project())
                .replace("{id}", path.contains("tenants") ? tenant(a) : a.project());
    add("PUT " + route, a -> by(a, admin, "PUT", where.apply(a), value));
    add(
        "DELETE " + route,
        a -> {
          Call put = by(a, admin, "PUT", where.apply(a), value);
          ask("PUT", put.path(), put.credential(), value);
          return by(a, admin, "DELETE", where.apply(a), "");
        });
  }

  private static Call by(Actor actor, boolean admin, String method, String path, String body) {
    return admin ? byAdmin(actor, method, path, body) : call(actor, method, path, body);
  }

  private String tenant(Actor actor) {
    return ask("GET", "/api/v1/me", actor.token(), "").path("tenant_id").asText();
  }

  private void webhooks() {
    String path = "/api/v1/webhook-endpoints";
    add("POST " + path, a -> call(a, "POST", path, hook(TYPE)));
    String one = path + "/{id}";
    add("DELETE " + one, a -> call(a, "DELETE", path + "/" + made(a, path, hook(TYPE)), ""));
    for (String end : List.of("/probe", "/rotate-secret")) {
      add(
          "POST " + one + end,
          a -> call(a, "POST", path + "/" + made(a, path, hook(TYPE)) + end, ""));
    }
    add(
        "POST " + one + "/deliveries/{delivery_id}/resend",
        a -> {
          String there = path + "/" + made(a, path, hook(TYPE));
          String delivery = made(a, there + "/probe", "");
          return call(a, "POST", there + "/deliveries/" + delivery + "/resend", "");
        });
  }

  private String hook(String type) {
    return "{\"url\": \"%s%d\", \"event_types\": [\"%s\"]}"
        .formatted(hook, NUMBERS.incrementAndGet(), type);
  }

  private void gpuai(String dialect, String mount) {
    String instances = mount + "/instances";
    String wanted = "{\"gpu_type\": \"h200\", \"gpu_count\": 1, \"tier\": \"on_demand\"}";
    String name = dialect + " ";
    makers.put(name + "POST " + instances, a -> byKey(a, "POST", instances, wanted));
    makers.put(
        name + "PATCH " + instances + "/{id}",
        a -> byKey(a, "PATCH", instances + "/" + instance(a, name, instances, wanted), named()));
    makers.put(
        name + "DELETE " + instances + "/{id}",
        a -> byKey(a, "DELETE", instances + "/" + instance(a, name, instances, wanted), ""));
    makers.put(
        name + "POST " + mount + "/ssh-keys",
        a -> byKey(a, "POST", mount + "/ssh-keys", sshKey("public_key").replace("title", "name")));
    makers.put(
        name + "POST " + mount + "/webhook-endpoints",
        a -> byKey(a, "POST", mount + "/webhook-endpoints", hook("instance.running")));
  }

  static Call byKey(Actor actor, String method, String path, String body) {
    return new Call(method, path, actor.apiKey(), Optional.empty(), body);
  }

  private String instance(Actor actor, String dialect, String path, String wanted) {
    Answer answer = send(dialect, byKey(actor, "POST", path, wanted), Map.of());
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    return answer.json().path("resource_id").asText();
  }

  // --- making ---

  String made(Actor actor, String path, String body) {
    return ask("POST", path, actor.token(), body).path("id").asText();
  }

  JsonNode ask(String method, String path, String token, String body) {
    Answer answer = server.call(method, path, token, body);
    assertThat(answer.status()).as(method + " " + path + " " + answer.body()).isBetween(200, 204);
    return answer.body().isEmpty() ? JSON.createObjectNode() : answer.json();
  }

  static String named() {
    return "{\"name\": \"Name " + NUMBERS.incrementAndGet() + "\"}";
  }

  private static String sshKey(String field) {
    String name = "key " + NUMBERS.incrementAndGet();
    return JSON.createObjectNode()
        .put("title", name)
        .put(field, KeyPairs.make(name).publicKey().line())
        .toString();
  }
}
