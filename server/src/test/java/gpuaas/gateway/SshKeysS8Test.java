package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S8: whose keys open which machines, and that what is taken away closes them within seconds. */
class SshKeysS8Test {

  private static final String KEYS = "/api/v1/ssh-keys";

  private static TestServer server;
  private static String owner;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200", "GPUAAS_SSH_RECHECK_EVERY", "1s"));
    owner = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** Somebody with a key pair and a file that ssh can use. */
  private record Person(String name, String token, String id, KeyPairs.Pair pair, Path file) {
    static Person make(String name) throws IOException {
      server.running().admittance().identities().ensure(name, "a long password", false);
      String token = server.token(name, "a long password");
      KeyPairs.Pair pair = KeyPairs.make(name);
      Path folder = Files.createDirectory(server.data().resolve("key-of-" + name));
      String id = server.call("GET", "/api/v1/me", token, "").json().path("id").asText();
      return new Person(name, token, id, pair, Shell.keyFile(folder, pair));
    }

    /** Registers the key; its id. */
    String register(String project, String scope) {
      return done(201, in(project, "POST", KEYS, token, keyBody(pair, scope))).path("id").asText();
    }
  }

  private static String keyBody(KeyPairs.Pair pair, String scope) {
    Map<String, String> body = new HashMap<>(Map.of("title", "t", "key", pair.publicKey().line()));
    if (!scope.isEmpty()) {
      body.put("scope", scope);
    }
    return new ObjectMapper().valueToTree(body).toString();
  }

  private static JsonNode done(int status, Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    return status == 204 ? new ObjectMapper().createObjectNode() : answer.json();
  }

  private static Answer in(String project, String method, String path, String token, String body) {
    Map<String, String> headers = new HashMap<>(Map.of("Authorization", "Bearer " + token));
    if (!project.isEmpty()) {
      headers.put("X-Project-ID", project);
    }
    return TestServer.send(method, server.apiUrl() + path, headers, body);
  }

  private static String project(String name, Map<Person, String> members) {
    String body = "{\"name\": \"" + name + "\"}";
    String id = done(201, in("", "POST", "/api/v1/projects", owner, body)).path("id").asText();
    members.forEach((person, role) -> role(id, person, role));
    return id;
  }

  private static void role(String project, Person person, String role) {
    String body = "{\"user_id\": \"%s\", \"role\": \"%s\"}".formatted(person.id(), role);
    done(201, in("", "POST", "/api/v1/projects/" + project + "/memberships", owner, body));
  }

  private static String asked(String key) {
    return "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
        + " \"ssh_key_ids\": [\""
        + key
        + "\"]}";
  }

  /** A machine in a project that a key opens: how to get in. */
  private static JsonNode machine(String project, String token, String key) {
    String path = "/api/v1/allocations";
    String id = done(201, in(project, "POST", path, token, asked(key))).path("id").asText();
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        Duration.ofSeconds(60),
        "it is active",
        () -> {
          last[0] = in(project, "GET", path + "/" + id, owner, "").json();
          return last[0].path("status").asText().equals("active");
        });
    return last[0].path("connection");
  }

  private static void release(JsonNode connection, String project) {
    String path = "/api/v1/allocations/" + connection.path("username").asText() + "/release";
    done(202, in(project, "POST", path, owner, ""));
  }

  private static Process enter(JsonNode connection, Path key) throws IOException {
    Process open = new ProcessBuilder(Shell.ssh(connection, key, "cat")).start();
    open.getOutputStream().write("in\n".getBytes(UTF_8));
    open.getOutputStream().flush();
    assertThat(new String(open.getInputStream().readNBytes(3), UTF_8)).isEqualTo("in\n");
    return open;
  }

  private static void isOutSoon(Process open, JsonNode connection, Path key) throws Exception {
    assertThat(open.waitFor(20, TimeUnit.SECONDS)).as("the session ends").isTrue();
    assertThat(open.exitValue()).isNotZero();
    assertThat(Shell.inside(connection, key, "true").exit()).isEqualTo(255);
  }

  private static boolean opens(JsonNode connection, Path key) throws Exception {
    return Shell.inside(connection, key, "true").exit() == 0;
  }

  @Test
  @DisplayName("S8: the host key is known before the first connection, and another is refused")
  void theHostKeyIsKnown() throws Exception {
    Person person = Person.make("host-key");
    String project = project("Host key", Map.of(person, "member"));
    JsonNode way = machine(project, person.token(), person.register(project, ""));
    String place = "[" + way.path("host").asText() + "]:" + way.path("port").asText() + " ";
    Path known = server.data().resolve("known-hosts");
    List<String> line = Shell.ssh(way, person.file(), "true");
    line.replaceAll(
        word -> word.replace("UserKnownHostsFile=/dev/null", "UserKnownHostsFile=" + known));
    line.replaceAll(word -> word.replace("HostKeyChecking=no", "HostKeyChecking=yes"));

    Files.writeString(known, place + way.path("ssh_host_key").asText() + "\n");
    assertThat(new ProcessBuilder(line).start().waitFor()).isZero();
    Files.writeString(known, place + KeyPairs.make("another").publicKey().line() + "\n");
    assertThat(new ProcessBuilder(line).start().waitFor()).isEqualTo(255);
    release(way, project);
  }

  @Test
  @DisplayName("S8: a person's key opens machines of all their projects, until it is removed")
  void aPersonsKeyIsGoodInAllTheirProjects() throws Exception {
    Person person = Person.make("everywhere");
    String one = project("Everywhere one", Map.of(person, "member"));
    String two = project("Everywhere two", Map.of(person, "member"));
    String key = person.register(one, "");
    JsonNode seen = done(200, in(two, "GET", KEYS + "/" + key, person.token(), ""));
    assertThat(seen.path("scope").asText()).isEqualTo("user");
    assertThat(seen.path("project_id").isNull()).isTrue();
    for (String project : List.of(one, two)) {
      assertThat(
              in(project, "GET", KEYS, person.token(), "")
                  .json()
                  .path("items")
                  .findValuesAsText("id"))
          .contains(key);
    }
    JsonNode first = machine(one, person.token(), key);
    JsonNode second = machine(two, owner, key); // a colleague may let them in
    Process inFirst = enter(first, person.file());
    Process inSecond = enter(second, person.file());
    done(204, in(one, "DELETE", KEYS + "/" + key, person.token(), ""));
    isOutSoon(inFirst, first, person.file());
    isOutSoon(inSecond, second, person.file());
    release(first, one);
    release(second, two);
  }

  @Test
  @DisplayName("S8: who is removed from a project is out of its machines, and of no others")
  void removalFromAProjectReachesItsMachines() throws Exception {
    Person person = Person.make("removed");
    String left = project("Left", Map.of(person, "member"));
    String kept = project("Kept", Map.of(person, "member"));
    String key = person.register(left, "user");
    JsonNode gone = machine(left, person.token(), key);
    JsonNode stays = machine(kept, person.token(), key);
    Process inGone = enter(gone, person.file());
    done(
        204,
        in("", "DELETE", "/api/v1/projects/" + left + "/memberships/" + person.id(), owner, ""));
    isOutSoon(inGone, gone, person.file());
    assertThat(opens(stays, person.file())).isTrue();
    Answer named = in(left, "POST", "/api/v1/allocations", owner, asked(key));
    assertThat(named.status()).as("nobody there can name it any more").isEqualTo(400);
    release(gone, left);
    release(stays, kept);
  }

  @Test
  @DisplayName("S8: who may only look is out of the machines, and so is who is somebody no more")
  void whoOnlyLooksOrIsDisabledIsOut() throws Exception {
    Person person = Person.make("lessened");
    String project = project("Lessened", Map.of(person, "member"));
    String key = person.register(project, "user");
    JsonNode way = machine(project, person.token(), key);
    Process open = enter(way, person.file());
    role(project, person, "viewer");
    isOutSoon(open, way, person.file());
    assertThat(in(project, "POST", "/api/v1/allocations", owner, asked(key)).status())
        .isEqualTo(400);
    role(project, person, "member");
    Process again = enter(way, person.file());
    server.running().admittance().sessions().enable(person.name(), false);
    isOutSoon(again, way, person.file());
    release(way, project);
  }

  @Test
  @DisplayName("S8: a project's key opens for all who are told to, and goes with who brought it")
  void aProjectsKeyIsShared() throws Exception {
    Person maker = Person.make("maker");
    Person colleague = Person.make("colleague-of-maker");
    String project = project("Shared", Map.of(maker, "member", colleague, "member"));
    String key = maker.register(project, "project");
    assertThat(
            in(project, "GET", KEYS, colleague.token(), "")
                .json()
                .path("items")
                .findValuesAsText("id"))
        .contains(key);
    JsonNode way = machine(project, colleague.token(), key);
    Process open = enter(way, maker.file());
    assertThat(in(project, "DELETE", KEYS + "/" + key, colleague.token(), "").status())
        .as("a member removes no key of others")
        .isEqualTo(403);
    done(
        204,
        in("", "DELETE", "/api/v1/projects/" + project + "/memberships/" + maker.id(), owner, ""));
    isOutSoon(open, way, maker.file());
    release(way, project);
  }

  @Test
  @DisplayName("S8: who may remove which key")
  void whoMayRemoveWhichKey() throws Exception {
    Person person = Person.make("keeper");
    Person admin = Person.make("admin-there");
    String project = project("Removing", Map.of(person, "member", admin, "admin"));
    String mine = person.register(project, "user");
    for (String method : List.of("GET", "DELETE")) {
      assertThat(in(project, method, KEYS + "/" + mine, admin.token(), "").status())
          .as("a person's own key is nobody else's business")
          .isEqualTo(404);
    }
    String apiKey =
        done(201, in(project, "POST", "/api/v1/api-keys", person.token(), "{\"name\": \"k\"}"))
            .path("key")
            .asText();
    KeyPairs.Pair other = KeyPairs.make("by an api key");
    assertThat(in("", "DELETE", KEYS + "/" + mine, apiKey, "").status()).isEqualTo(403);
    assertThat(in("", "POST", KEYS, apiKey, keyBody(other, "user")).status()).isEqualTo(403);
    JsonNode byKey = done(201, in("", "POST", KEYS, apiKey, keyBody(other, "")));
    assertThat(byKey.path("scope").asText()).isEqualTo("project");
    assertThat(byKey.path("project_id").asText()).isEqualTo(project);
    done(204, in(project, "DELETE", KEYS + "/" + byKey.path("id").asText(), admin.token(), ""));
    done(204, in("", "DELETE", KEYS + "/" + mine, person.token(), ""));
  }

  @Test
  @DisplayName("S8: the same key is registered once by one owner")
  void theSameKeyOnceByOneOwner() throws Exception {
    Person person = Person.make("twice");
    Person another = Person.make("twice-too");
    String project = project("Twice", Map.of(person, "member", another, "member"));
    String id = person.register(project, "user");
    for (String scope : List.of("", "user", "project")) {
      Answer again = in(project, "POST", KEYS, person.token(), keyBody(person.pair(), scope));
      assertThat(again.status()).as(scope).isEqualTo(409);
    }
    done(201, in(project, "POST", KEYS, another.token(), keyBody(person.pair(), "user")));
    Answer wrong = in(project, "POST", KEYS, person.token(), keyBody(person.pair(), "tenant"));
    assertThat(wrong.json().path("details").has("scope")).isTrue();
    assertThat(in(project, "GET", KEYS + "/" + UUID.randomUUID(), person.token(), "").status())
        .isEqualTo(404);
    done(204, in(project, "DELETE", KEYS + "/" + id, person.token(), ""));
  }
}
