package gpuaas.main;

import static gpuaas.main.RouteCalls.call;
import static gpuaas.main.RouteCalls.named;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.RouteCalls.Actor;
import gpuaas.main.RouteCalls.Call;
import gpuaas.main.RouteCalls.Maker;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** How the routes are called that say who belongs where. */
final class TenancyRouteCalls {

  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final RouteCalls calls;
  private final TestServer server;
  private final Map<String, Maker> makers = new TreeMap<>();

  TenancyRouteCalls(RouteCalls calls, TestServer server) {
    this.calls = calls;
    this.server = server;
    projects();
    members("/api/v1/tenant/memberships", "/api/v1/tenant/leave");
    members("/api/v1/projects/{project_id}/memberships", "/api/v1/projects/{project_id}/leave");
    invitations();
    accounts();
    users();
  }

  /** By method and path, in the GPUaaS dialect. */
  Map<String, Maker> makers() {
    return makers;
  }

  private void add(String route, Maker maker) {
    makers.put(route, maker);
  }

  private String made(Actor actor, String path, String body) {
    return calls.made(actor, path, body);
  }

  private JsonNode ask(String method, String path, String token, String body) {
    return calls.ask(method, path, token, body);
  }

  private void users() {
    String path = "/api/v1/admin/users";
    add("POST " + path, a -> byAdmin(a, "POST", path, somebody()));
    for (String word : List.of("/disable", "/enable")) {
      add(
          "POST " + path + "/{id}" + word,
          a -> byAdmin(a, "POST", path + "/" + user(a) + word, ""));
    }
    add("DELETE " + path + "/{id}", a -> byAdmin(a, "DELETE", path + "/" + user(a), ""));
  }

  private String user(Actor actor) {
    return ask("POST", "/api/v1/admin/users", actor.admin(), somebody()).path("id").asText();
  }

  private static String somebody() {
    return "{\"username\": \"somebody-"
        + NUMBERS.incrementAndGet()
        + "\", \"password\": \"a long password\"}";
  }

  private static Call byAdmin(Actor actor, String method, String path, String body) {
    return new Call(method, path, actor.admin(), Optional.empty(), body);
  }

  private void projects() {
    String path = "/api/v1/projects";
    add("POST " + path, a -> call(a, "POST", path, named()));
    add(
        "PATCH " + path + "/{project_id}",
        a -> call(a, "PATCH", path + "/" + made(a, path, named()), named()));
    add(
        "POST " + path + "/{project_id}/default",
        a -> call(a, "POST", path + "/" + a.project() + "/default", ""));
  }

  /** Somebody else. */
  private record Guest(String id, String token) {}

  private Guest guest() {
    String name = "guest-" + NUMBERS.incrementAndGet();
    server.running().admittance().identities().ensure(name, "a long password", false);
    String token = server.token(name, "a long password");
    return new Guest(ask("GET", "/api/v1/me", token, "").path("id").asText(), token);
  }

  private static String member(Guest guest) {
    return "{\"user_id\": \"" + guest.id() + "\", \"role\": \"viewer\"}";
  }

  private void members(String path, String leave) {
    add("POST " + path, a -> call(a, "POST", in(a, path), member(guest())));
    String one = path + "/{user_id}";
    add(
        "PATCH " + one,
        a -> call(a, "PATCH", in(a, path) + "/" + joined(a, path).id(), "{\"role\": \"member\"}"));
    add("DELETE " + one, a -> call(a, "DELETE", in(a, path) + "/" + joined(a, path).id(), ""));
    add(
        "POST " + leave,
        a -> {
          Guest guest = joined(a, path);
          if (!path.contains("project_id")) {
            ask(
                "POST",
                in(a, "/api/v1/projects/{project_id}/memberships"),
                a.token(),
                member(guest));
          }
          return new Call("POST", in(a, leave), guest.token(), Optional.of(a.project()), "");
        });
  }

  private static String in(Actor actor, String path) {
    return path.replace("{project_id}", actor.project());
  }

  private Guest joined(Actor actor, String path) {
    Guest guest = guest();
    ask("POST", in(actor, path), actor.token(), member(guest));
    return guest;
  }

  private void invitations() {
    String path = "/api/v1/projects/{project_id}/invitations";
    String viewer = "{\"role\": \"viewer\"}";
    add("POST " + path, a -> call(a, "POST", in(a, path), viewer));
    add(
        "DELETE " + path + "/{id}",
        a -> call(a, "DELETE", in(a, path) + "/" + made(a, in(a, path), viewer), ""));
    add(
        "POST /api/v1/invitations/accept",
        a -> {
          String words = ask("POST", in(a, path), a.token(), viewer).path("token").asText();
          String body = "{\"token\": \"" + words + "\"}";
          return new Call(
              "POST", "/api/v1/invitations/accept", guest().token(), Optional.empty(), body);
        });
  }

  private void accounts() {
    String path = "/api/v1/projects/{project_id}/service-accounts";
    add("POST " + path, a -> call(a, "POST", in(a, path), account()));
    String one = path + "/{sa_id}";
    add(
        "DELETE " + one,
        a -> call(a, "DELETE", in(a, path) + "/" + made(a, in(a, path), account()), ""));
    add(
        "POST " + one + "/rotate",
        a ->
            call(
                a,
                "POST",
                in(a, path) + "/" + made(a, in(a, path), account()) + "/rotate",
                "{\"algorithm\": \"client_secret\"}"));
    add(
        "DELETE " + one + "/keys/{key_id}",
        a -> {
          JsonNode made = ask("POST", in(a, path), a.token(), account());
          String key = made.path("sa_id").asText() + "/keys/" + made.path("key_id").asText();
          return call(a, "DELETE", in(a, path) + "/" + key, "");
        });
  }

  private static String account() {
    return "{\"name\": \"a%d\", \"algorithm\": \"client_secret\"}"
        .formatted(NUMBERS.incrementAndGet());
  }
}
