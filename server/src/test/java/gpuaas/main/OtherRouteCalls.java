package gpuaas.main;

import static gpuaas.main.RouteCalls.byKey;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.RouteCalls.Actor;
import gpuaas.main.RouteCalls.Call;
import gpuaas.main.RouteCalls.Maker;
import gpuaas.main.TestServer.Answer;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** How the routes are called that change something and take no idempotency key. */
final class OtherRouteCalls {

  /**
   * Those that take a proof of who comes, and nothing that could be planted: and what they give.
   */
  static final Map<String, String> PROOFS =
      Map.ofEntries(
          Map.entry("gpuaas-api POST /api/v1/auth/oidc/exchange", "a session"),
          Map.entry("gpuaas-api POST /api/v1/auth/token/refresh", "a session"),
          Map.entry("gpuaas-api POST /api/v1/auth/sa/token", "a token"),
          Map.entry("gpuaas-api POST /api/v1/auth/logout", "the end of a session"),
          Map.entry("gpudev POST /v1/auth/aws-login", "a key"),
          Map.entry("gpudev POST /v1/auth/aws-login/presigned", "a key"),
          Map.entry("gpudev POST /v1/auth/oidc-login", "a key"),
          Map.entry("idp POST /realms/gpuaas/protocol/openid-connect/auth", "a form"),
          Map.entry("idp POST /realms/gpuaas/protocol/openid-connect/logout", "a form"),
          Map.entry("idp POST /realms/gpuaas/protocol/openid-connect/userinfo", "who one is"),
          Map.entry("idp POST /realms/gpuaas/protocol/openid-connect/token", "a form"));

  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final RouteCalls calls;
  private final Map<String, Maker> makers = new TreeMap<>();

  OtherRouteCalls(RouteCalls calls) {
    this.calls = calls;
    gpuaas();
    gpuai("gpuai", "/v1");
    gpuai("gpuai-sdk", "/sdk/v1");
    jobs();
    disks();
    sessions();
  }

  Map<String, Maker> makers() {
    return makers;
  }

  private JsonNode done(String dialect, Call call) {
    Answer answer = calls.send(dialect, call, Map.of());
    assertThat(answer.status()).as(call.path() + answer.body()).isBetween(200, 204);
    return answer.json();
  }

  private void gpuaas() {
    String signUp = "/api/v1/auth/personal/sign-up";
    makers.put(
        "gpuaas-api POST " + signUp,
        a -> new Call("POST", signUp, a.token(), Optional.empty(), person()));
    String signIn = "/api/v1/auth/personal/sign-in";
    makers.put(
        "gpuaas-api POST " + signIn,
        a ->
            new Call(
                "POST",
                signIn,
                a.token(),
                Optional.empty(),
                "{\"username\": \"" + a.name() + "\", \"password\": \"a long password\"}"));
    makers.put(
        "gpuaas-api POST /api/v1/allocations/{id}/terminal-token",
        a -> {
          String path = "/api/v1/allocations/";
          String id =
              done("gpuaas-api", calls.makers().get("gpuaas-api POST /api/v1/allocations").make(a))
                  .path("id")
                  .asText();
          return new Call("POST", path + id + "/terminal-token", a.token(), Optional.empty(), "");
        });
  }

  private static String person() {
    return "{\"username\": \"signed-up-%d\", \"password\": \"a quite long secret\"}"
        .formatted(NUMBERS.incrementAndGet());
  }

  private void gpuai(String dialect, String mount) {
    for (String kind : new String[] {"/ssh-keys", "/webhook-endpoints"}) {
      String path = mount + kind;
      makers.put(
          dialect + " DELETE " + path + "/{id}",
          a -> {
            Call make = calls.makers().get(dialect + " POST " + path).make(a);
            String id = done(dialect, make).path("id").asText();
            return byKey(a, "DELETE", path + "/" + id, "");
          });
    }
  }

  private void jobs() {
    String wanted =
        "{\"image\": \"any\", \"instance_type\": \"p5e.48xlarge\", \"duration_hours\": 4,"
            + " \"env_vars\": {\"GPU_COUNT\": 1}}";
    String jobs = "/v1/jobs/";
    makers.put("gpudev POST /v1/jobs/submit", a -> byKey(a, "POST", jobs + "submit", wanted));
    makers.put("gpudev POST /v1/keys/rotate", a -> byKey(a, "POST", "/v1/keys/rotate", ""));
    Map<String, String> actions =
        Map.of(
            "/cancel", "",
            "/extend", "{\"extension_hours\": 1}",
            "/users", "{\"github_username\": \"nobody-there\"}",
            "/jupyter/enable", "",
            "/jupyter/disable", "",
            "/ports", "{\"port\": 6006}");
    actions.forEach((end, body) ->
        makers.put(
            "gpudev POST /v1/jobs/{id}" + end,
            a -> byKey(a, "POST", jobs + job(a, wanted) + end, body)));
    makers.put(
        "gpudev DELETE /v1/jobs/{id}/users/{name}",
        a -> byKey(a, "DELETE", jobs + job(a, wanted) + "/users/nobody-there", ""));
    makers.put(
        "gpudev DELETE /v1/jobs/{id}/ports/{port}",
        a -> {
          String path = jobs + job(a, wanted) + "/ports";
          done("gpudev", byKey(a, "POST", path, "{\"port\": 6006}"));
          return byKey(a, "DELETE", path + "/6006", "");
        });
  }

  private String job(Actor actor, String wanted) {
    return done("gpudev", byKey(actor, "POST", "/v1/jobs/submit", wanted)).path("job_id").asText();
  }

  private void disks() {
    String disks = "/v1/disks";
    makers.put("gpudev POST /v1/disks", a -> byKey(a, "POST", disks, disk("disk_name")));
    String one = "gpudev %s /v1/disks/{name}";
    makers.put(one.formatted("DELETE"), a -> byKey(a, "DELETE", disks + "/" + made(a), ""));
    Map<String, String> actions =
        Map.of("/rename", "new_name", "/clone", "new_name", "/snapshot", "", "/undelete", "");
    actions.forEach((end, field) ->
        makers.put(
            one.formatted("POST") + end,
            a ->
                byKey(a, "POST", disks + "/" + made(a) + end, field.isEmpty() ? "" : disk(field))));
  }

  private static String disk(String field) {
    return "{\"" + field + "\": \"disk-" + NUMBERS.incrementAndGet() + "\"}";
  }

  private String made(Actor actor) {
    return done("gpudev", byKey(actor, "POST", "/v1/disks", disk("disk_name")))
        .path("disk_name")
        .asText();
  }

  private void sessions() {
    String sessions = "/api/v1/sessions";
    makers.put("shopper POST " + sessions, a -> byKey(a, "POST", sessions, session(a)));
    for (String end : new String[] {"/done", "/extend"}) {
      makers.put(
          "shopper POST " + sessions + "/{id}" + end,
          a -> byKey(a, "POST", sessions + "/" + open(a) + end, "{\"additional_hours\": 1}"));
    }
    makers.put(
        "shopper DELETE " + sessions + "/{id}",
        a -> byKey(a, "DELETE", sessions + "/" + open(a), ""));
  }

  private String open(Actor actor) {
    return done("shopper", byKey(actor, "POST", "/api/v1/sessions", session(actor)))
        .at("/session/id")
        .asText();
  }

  private String session(Actor actor) {
    JsonNode offers =
        done("shopper", byKey(actor, "GET", "/api/v1/inventory?limit=1", "")).path("offers");
    return """
    {"consumer_id": "c%d", "offer_id": "%s", "workload_type": "llm", "reservation_hours": 1,
     "disk_gb": 20}\
    """
        .formatted(NUMBERS.incrementAndGet(), offers.path(0).path("id").asText());
  }
}
