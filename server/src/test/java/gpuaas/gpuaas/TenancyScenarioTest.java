package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Projects with several people in them: who may what, who makes whom what, and who is out. */
class TenancyScenarioTest {

  private static TestServer server;
  private static String owner;
  private static String colleague;
  private static String stranger;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "4xH200"));
    owner = server.token("dev-user", "dev123");
    colleague = person("colleague");
    stranger = person("stranger");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String person(String name) {
    server.running().admittance().identities().ensure(name, "a long password", false);
    return server.token(name, "a long password");
  }

  private static String idOf(String token) {
    return server.call("GET", "/api/v1/me", token, "").json().path("id").asText();
  }

  private static JsonNode done(int status, Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    return status == 204 ? NullNode.instance : answer.json();
  }

  private static void refused(int status, String code, Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(Envelope.refused(answer).json().path("code").asText()).isEqualTo(code);
  }

  private static Answer in(String project, String method, String path, String token, String body) {
    return TestServer.send(
        method,
        server.apiUrl() + path,
        Map.of("Authorization", "Bearer " + token, "X-Project-ID", project),
        body);
  }

  private static String project(String name) {
    return done(201, server.call("POST", "/api/v1/projects", owner, "{\"name\": \"" + name + "\"}"))
        .path("id")
        .asText();
  }

  /** Lets the colleague into a project, by invitation. */
  private static void invite(String project, String role) {
    JsonNode made =
        done(
            201,
            server.call(
                "POST",
                "/api/v1/projects/" + project + "/invitations",
                owner,
                "{\"role\": \"" + role + "\"}"));
    String body = "{\"token\": \"" + made.path("token").asText() + "\"}";
    assertThat(
            done(200, server.call("POST", "/api/v1/invitations/accept", colleague, body))
                .path("project_id")
                .asText())
        .isEqualTo(project);
    refused(
        400,
        "validation_error",
        server.call("POST", "/api/v1/invitations/accept", stranger, body)); // it was good once
  }

  @Test
  void aSignUpOwnsATenantAndADefaultProject() {
    JsonNode me = done(200, server.call("GET", "/api/v1/me", stranger, ""));
    assertThat(me.path("tenant_role").asText()).isEqualTo("owner");
    assertThat(me.path("project_role").asText()).isEqualTo("owner");
    JsonNode projects = done(200, server.call("GET", "/api/v1/projects", stranger, ""));
    assertThat(projects.path("items").findValuesAsText("slug")).containsExactly("default");
  }

  @Test
  void aProjectOfSomebodyElseIsNotThere() {
    String project = project("Secret");
    refused(
        404, "project_not_found", server.call("GET", "/api/v1/projects/" + project, stranger, ""));
    refused(404, "project_not_found", in(project, "GET", "/api/v1/allocations", stranger, ""));
    refused(
        404,
        "project_not_found",
        in(UUID.randomUUID().toString(), "GET", "/api/v1/allocations", stranger, ""));
    refused(400, "invalid_request", in("no-id", "GET", "/api/v1/allocations", owner, ""));
    refused(
        400,
        "invalid_request",
        in(UUID.randomUUID().toString(), "GET", "/api/v1/projects/" + project, owner, ""));
    refused(
        409,
        "project_exists",
        server.call("POST", "/api/v1/projects", owner, "{\"name\": \"SECRET!\"}"));
  }

  @Test
  void aViewerLooksAMemberUsesAndAnAdminRuns() throws Exception {
    String project = project("Roles");
    invite(project, "viewer");
    String key =
        new ObjectMapper()
            .writeValueAsString(
                Map.of("title", "t", "key", KeyPairs.make("tenancy").publicKey().line()));
    done(200, in(project, "GET", "/api/v1/allocations", colleague, ""));
    refused(
        403, "insufficient_permissions", in(project, "POST", "/api/v1/ssh-keys", colleague, key));
    refused(
        403,
        "insufficient_permissions",
        in(project, "POST", "/api/v1/allocations", colleague, "{}"));

    role(project, "member", 200);
    done(201, in(project, "POST", "/api/v1/ssh-keys", colleague, key));
    refused(
        403,
        "insufficient_permissions",
        server.call(
            "POST",
            "/api/v1/projects/" + project + "/invitations",
            colleague,
            "{\"role\": \"viewer\"}"));

    role(project, "admin", 200);
    String invitations = "/api/v1/projects/" + project + "/invitations";
    done(201, server.call("POST", invitations, colleague, "{\"role\": \"admin\"}"));
    refused(
        403,
        "insufficient_permissions",
        server.call("POST", invitations, colleague, "{\"role\": \"owner\"}")); // above their own
    refused(
        403,
        "insufficient_permissions",
        server.call(
            "DELETE",
            "/api/v1/projects/" + project + "/memberships/" + idOf(owner),
            colleague,
            ""));
    JsonNode members =
        done(
            200, server.call("GET", "/api/v1/projects/" + project + "/memberships", colleague, ""));
    assertThat(members.path("items").findValuesAsText("role"))
        .containsExactlyInAnyOrder("owner", "admin");
  }

  private static void role(String project, String role, int status) {
    done(
        status,
        server.call(
            "PATCH",
            "/api/v1/projects/" + project + "/memberships/" + idOf(colleague),
            owner,
            "{\"role\": \"" + role + "\"}"));
  }

  @Test
  @DisplayName("S8: who is removed has nothing here from that moment")
  void whoIsRemovedHasNothingHereFromThatMoment() {
    String project = project("Leaving");
    invite(project, "member");
    String apiKey =
        done(201, in(project, "POST", "/api/v1/api-keys", colleague, "{\"name\": \"k\"}"))
            .path("key")
            .asText();
    done(200, server.call("GET", "/api/v1/allocations", apiKey, ""));
    done(
        204,
        server.call(
            "DELETE",
            "/api/v1/projects/" + project + "/memberships/" + idOf(colleague),
            owner,
            ""));
    refused(404, "project_not_found", in(project, "GET", "/api/v1/allocations", colleague, ""));
    // A key that was looked up a moment ago is known for a second.
    Eventually.within(
        Duration.ofSeconds(20),
        "the key opens still",
        () -> server.call("GET", "/api/v1/allocations", apiKey, "").status() == 401);
  }

  @Test
  void whoOnlyLooksFromNowOnIsOutOfTheMachines(@TempDir Path folder) throws Exception {
    String project = project("Demoted");
    invite(project, "member");
    KeyPairs.Pair pair = KeyPairs.make("demoted");
    String body =
        new ObjectMapper().writeValueAsString(Map.of("title", "t", "key", pair.publicKey().line()));
    String key =
        done(201, in(project, "POST", "/api/v1/ssh-keys", colleague, body)).path("id").asText();
    String asked =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": [\"%s\"]}";
    String lease =
        done(201, in(project, "POST", "/api/v1/allocations", colleague, asked.formatted(key)))
            .path("id")
            .asText();
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        Duration.ofSeconds(60),
        "not active",
        () -> {
          last[0] = in(project, "GET", "/api/v1/allocations/" + lease, owner, "").json();
          return last[0].path("status").asText().equals("active");
        });
    JsonNode connection = last[0].path("connection");
    Path keyFile = Shell.keyFile(folder, pair);
    assertThat(Shell.inside(connection, keyFile, "true").exit()).isZero();
    role(project, "viewer", 200);
    assertThat(Shell.inside(connection, keyFile, "true").exit()).isEqualTo(255);
    role(project, "member", 200);
    assertThat(Shell.inside(connection, keyFile, "true").exit()).isZero();
    done(202, in(project, "POST", "/api/v1/allocations/" + lease + "/release", owner, ""));
  }

  @Test
  void aMemberTakesNothingFromOthers() throws Exception {
    String project = project("Neighbours");
    invite(project, "member");
    String body =
        new ObjectMapper()
            .writeValueAsString(
                Map.of(
                    "title",
                    "t",
                    "key",
                    KeyPairs.make("neighbours").publicKey().line(),
                    "scope",
                    "project"));
    String sshKey =
        done(201, in(project, "POST", "/api/v1/ssh-keys", owner, body)).path("id").asText();
    String apiKey =
        done(201, in(project, "POST", "/api/v1/api-keys", owner, "{\"name\": \"k\"}"))
            .path("id")
            .asText();
    for (String path : List.of("/api/v1/ssh-keys/" + sshKey, "/api/v1/api-keys/" + apiKey)) {
      refused(403, "insufficient_permissions", in(project, "DELETE", path, colleague, ""));
    }
    refused(
        403,
        "insufficient_permissions",
        in(project, "POST", "/api/v1/api-keys/" + apiKey + "/rotate", colleague, ""));
    role(project, "admin", 200);
    done(204, in(project, "DELETE", "/api/v1/ssh-keys/" + sshKey, colleague, ""));
    done(204, in(project, "DELETE", "/api/v1/api-keys/" + apiKey, colleague, ""));
  }

  @Test
  void whoRanTheTenantLosesTheKeysOfAllItsProjects() {
    String project = project("Boss");
    String members = "/api/v1/tenant/memberships";
    done(
        201,
        server.call(
            "POST",
            members,
            owner,
            "{\"user_id\": \"" + idOf(stranger) + "\", \"role\": \"admin\"}"));
    String apiKey =
        done(201, in(project, "POST", "/api/v1/api-keys", stranger, "{\"name\": \"k\"}"))
            .path("key")
            .asText();
    done(200, server.call("GET", "/api/v1/allocations", apiKey, ""));
    done(204, server.call("DELETE", members + "/" + idOf(stranger), owner, ""));
    Eventually.within(
        Duration.ofSeconds(20),
        "the key opens still",
        () -> server.call("GET", "/api/v1/allocations", apiKey, "").status() == 401);
    refused(404, "project_not_found", in(project, "GET", "/api/v1/allocations", stranger, ""));
  }

  @Test
  void theLastOwnerStaysUntilThereIsAnother() {
    String project = project("Last");
    String path = "/api/v1/projects/" + project + "/memberships/";
    refused(409, "invalid_state", server.call("DELETE", path + idOf(owner), owner, ""));
    refused(
        409,
        "invalid_state",
        server.call("PATCH", path + idOf(owner), owner, "{\"role\": \"member\"}"));
    done(
        201,
        server.call(
            "POST",
            "/api/v1/projects/" + project + "/memberships",
            owner,
            "{\"user_id\": \"" + idOf(colleague) + "\", \"role\": \"owner\"}"));
    done(204, server.call("DELETE", path + idOf(owner), owner, ""));
    // Who owns the tenant runs all its projects all the same.
    done(200, server.call("GET", "/api/v1/projects/" + project, owner, ""));
  }

  @Test
  void whoIsInAnotherProjectActsThereByDefaultOnceTheySaySo() {
    String project = project("Daily");
    done(204, server.call("POST", "/api/v1/projects/" + project + "/default", owner, ""));
    try {
      assertThat(server.call("GET", "/api/v1/me", owner, "").json().path("project_id").asText())
          .isEqualTo(project);
    } finally {
      String first =
          server
              .call("GET", "/api/v1/projects", owner, "")
              .json()
              .path("items")
              .valueStream()
              .filter(one -> one.path("slug").asText().equals("default"))
              .findFirst()
              .orElseThrow()
              .path("id")
              .asText();
      done(204, server.call("POST", "/api/v1/projects/" + first + "/default", owner, ""));
    }
  }

  @Test
  void listsGoOnWhereTheyEnded() {
    List.of("Page one", "Page two", "Page three").forEach(TenancyScenarioTest::project);
    JsonNode first = done(200, server.call("GET", "/api/v1/projects?page_size=2", owner, ""));
    assertThat(first.path("items")).hasSize(2);
    JsonNode second =
        done(
            200,
            server.call(
                "GET",
                "/api/v1/projects?page_size=2&cursor=" + first.path("next_cursor").asText(),
                owner,
                ""));
    assertThat(second.path("items").findValuesAsText("id"))
        .isNotEmpty()
        .doesNotContainAnyElementsOf(first.path("items").findValuesAsText("id"));
  }
}
