package gpuaas.gpuaas;

import static gpuaas.gpuaas.Envelope.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Policies as administrators set them and users meet them. */
class PolicyScenarioTest {

  private static final String REQUESTS = "rate_limit.requests_per_minute";
  private static final String TERMINAL = "rate_limit.terminal_token_requests_per_minute";
  private static final String OWN = "/api/v1/policies";
  private static final String ADMIN = "/api/v1/admin/policies";

  private static TestServer server;
  private static String admin;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
                "GPUAAS_RATE_LIMIT_REQUESTS_PER_MINUTE", "5000"));
    admin = server.token("dev-admin", "admin123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** Somebody with a tenant and a project of their own. */
  private record Person(String token, String tenant, String project) {
    static Person of(String name) {
      server.running().admittance().identities().ensure(name, "a long password", false);
      String token = server.token(name, "a long password");
      JsonNode me = server.call("GET", "/api/v1/me", token, "").json();
      return new Person(token, me.path("tenant_id").asText(), me.path("project_id").asText());
    }

    Answer put(String path, long value) {
      return server.call("PUT", path, token, "{\"value\": " + value + "}");
    }

    JsonNode holds(String key) {
      Answer answer = server.call("GET", OWN, token, "");
      assertThat(answer.status()).isEqualTo(200);
      return answer
          .json()
          .path("items")
          .valueStream()
          .filter(item -> item.path("key").asText().equals(key))
          .findFirst()
          .orElseThrow();
    }

    String limit() {
      return server.call("GET", "/api/v1/me", token, "").headers().get("x-ratelimit-limit");
    }
  }

  private static Answer set(String path, long value) {
    return server.call("PUT", ADMIN + path, admin, "{\"value\": " + value + "}");
  }

  private static void isSet(Answer answer, long value) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().path("value").asLong()).isEqualTo(value);
  }

  private static JsonNode audited(String target, String action) {
    return server
        .call(
            "GET", "/api/v1/admin/audit-logs?target_id=" + target + "&action=" + action, admin, "")
        .json()
        .path("items");
  }

  @Test
  void theNarrowestValueHoldsAtOnceAndIsExplained() {
    Person person = Person.of("policy-narrow");
    assertThat(person.holds(REQUESTS).path("source").asText()).isEqualTo("default");
    assertThat(person.limit()).as("the setting").isEqualTo("5000");
    isSet(set("/" + REQUESTS + "/tenants/" + person.tenant(), 4000), 4000);
    assertThat(person.limit()).isEqualTo("4000");
    isSet(set("/" + REQUESTS + "/projects/" + person.project(), 4500), 4500);
    assertThat(person.limit()).isEqualTo("4500");
    JsonNode holds = person.holds(REQUESTS);
    assertThat(holds.path("value").asLong()).isEqualTo(4500);
    assertThat(holds.path("source").asText()).isEqualTo("project");
    assertThat(holds.path("set_by").asText()).isEqualTo("platform");
    assertThat(Person.of("policy-other").limit()).as("of others").isEqualTo("5000");
    String path = ADMIN + "/" + REQUESTS + "/projects/" + person.project();
    assertThat(server.call("DELETE", path, admin, "").status()).isEqualTo(204);
    assertThat(person.limit()).isEqualTo("4000");
    Answer gone = refused(server.call("DELETE", path, admin, ""));
    assertThat(gone.status()).isEqualTo(404);
    assertThat(gone.json().path("code").asText()).isEqualTo("policy_not_found");
    assertThat(audited(person.project(), "policy.update")).hasSize(2);
    JsonNode last = audited(person.tenant(), "policy.update").path(0);
    assertThat(last.at("/metadata/policy").asText()).isEqualTo(REQUESTS);
    assertThat(last.at("/metadata/value").asText()).isEqualTo("4000");
    assertThat(last.path("result").asText()).isEqualTo("success");
  }

  @Test
  void aTenantsAdministratorsLowerAndNeverRaise() {
    Person owner = Person.of("policy-owner");
    isSet(set("/" + REQUESTS + "/tenants/" + owner.tenant(), 3000), 3000);
    isSet(owner.put(OWN + "/" + REQUESTS + "/tenant", 2000), 2000);
    assertThat(owner.limit()).isEqualTo("2000");
    JsonNode holds = owner.holds(REQUESTS);
    assertThat(holds.path("set_by").asText()).isEqualTo("tenant");
    assertThat(holds.path("allowed").asLong()).isEqualTo(3000);
    Answer raised = refused(owner.put(OWN + "/" + REQUESTS + "/tenant", 3001));
    assertThat(raised.status()).isEqualTo(400);
    assertThat(raised.json().at("/details/value").asText()).isEqualTo("must be from 1 to 3000");
    JsonNode violation = audited(owner.tenant(), "policy.bound_violation").path(0);
    assertThat(violation.path("result").asText()).isEqualTo("failure");
    assertThat(violation.at("/metadata/value").asText()).isEqualTo("3001");
    isSet(owner.put(OWN + "/" + REQUESTS + "/projects/" + owner.project(), 2500), 2500);
    assertThat(owner.limit()).as("their own narrowest").isEqualTo("2500");
    isSet(set("/" + REQUESTS + "/tenants/" + owner.tenant(), 1500), 1500);
    assertThat(owner.limit()).as("the platform allows less now").isEqualTo("1500");
    Answer others =
        refused(
            owner.put(
                OWN + "/" + REQUESTS + "/projects/" + Person.of("policy-third").project(), 10));
    assertThat(others.status()).isEqualTo(404);
    assertThat(refused(owner.put(ADMIN + "/" + REQUESTS + "/global", 10)).status()).isEqualTo(403);
  }

  @Test
  void whatMakesNoSenseIsRefusedInWords() {
    String tenant = Person.of("policy-wrong").tenant();
    for (String body :
        new String[] {"{}", "{\"value\": \"7\"}", "{\"value\": 1.5}", "{\"value\": -1}", "[]"}) {
      Answer answer =
          refused(server.call("PUT", ADMIN + "/" + REQUESTS + "/tenants/" + tenant, admin, body));
      assertThat(answer.status()).as(body).isEqualTo(400);
    }
    assertThat(refused(set("/" + REQUESTS + "/tenants/" + tenant, 0)).status()).isEqualTo(400);
    assertThat(refused(set("/" + REQUESTS + "/tenants/" + tenant, 100_000_001)).status())
        .isEqualTo(400);
    assertThat(audited(tenant, "policy.bound_violation")).hasSize(2);
    Answer narrow =
        refused(set("/rate_limit.tenant_requests_per_minute/projects/" + UUID.randomUUID(), 10));
    assertThat(narrow.json().path("details").has("scope")).isTrue();
    Answer nobody = refused(set("/" + REQUESTS + "/tenants/" + UUID.randomUUID(), 10));
    assertThat(nobody.json().path("code").asText()).isEqualTo("tenant_not_found");
    assertThat(refused(set("/no.such_policy/global", 10)).status()).isEqualTo(404);
  }

  @Test
  void administratorsSeeDefinitionsAndAllThatWasSet() {
    JsonNode definitions = server.call("GET", ADMIN, admin, "").json().path("items");
    JsonNode terminal =
        definitions
            .valueStream()
            .filter(each -> each.path("key").asText().equals(TERMINAL))
            .findFirst()
            .orElseThrow();
    assertThat(terminal.path("value").asLong()).as("fixed by the document").isEqualTo(10);
    assertThat(terminal.path("lowest").asLong()).isEqualTo(1);
    Person person = Person.of("policy-listed");
    set("/" + TERMINAL + "/tenants/" + person.tenant(), 11);
    set("/" + TERMINAL + "/projects/" + person.project(), 12);
    String path = "/api/v1/admin/policy-values?page_size=1";
    JsonNode first = server.call("GET", path, admin, "").json();
    assertThat(first.at("/items/0/owner_id").asText()).isEqualTo(person.project());
    JsonNode second =
        server
            .call("GET", path + "&cursor=" + first.path("next_cursor").asText(), admin, "")
            .json();
    assertThat(second.at("/items/0/owner_id").asText()).isEqualTo(person.tenant());
    assertThat(second.at("/items/0/value").asLong()).isEqualTo(11);
    assertThat(refused(server.call("GET", path + "&cursor=x", admin, "")).status()).isEqualTo(400);
  }

  @Test
  void whatIsSetUnderAKeyIsSetOnce() {
    Person person = Person.of("policy-once");
    String path = ADMIN + "/" + REQUESTS + "/tenants/" + person.tenant();
    for (int i = 0; i < 2; i++) {
      Answer answer =
          server.call("PUT", path, admin, "{\"value\": 900}", "X-Idempotency-Key", "policy-1");
      isSet(answer, 900);
    }
    assertThat(audited(person.tenant(), "policy.update")).hasSize(1);
  }
}
