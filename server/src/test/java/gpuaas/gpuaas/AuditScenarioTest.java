package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.audit.Audit;
import gpuaas.audit.Audit.Verdict;
import gpuaas.db.Database;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S10: what is done and what is refused is in the trail, and nobody changes it unnoticed. */
class AuditScenarioTest {

  private static final String PATH = "/api/v1/admin/audit-logs";

  private static TestServer server;
  private static String owner;
  private static String admin;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200"));
    owner = server.token("dev-user", "dev123");
    admin = server.token("dev-admin", "admin123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode get(String token, String path) {
    Answer answer = server.call("GET", path, token, "");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  private static Audit audit() {
    return new Audit(database(), Clock.systemUTC());
  }

  private static Database database() {
    return server.running().database();
  }

  /** Tampers as somebody would who has the database. */
  private static void tamper(String sql) {
    database()
        .run(tx -> {
          tx.update("set local session_replication_role = replica").execute(); // no triggers
          tx.update(sql).execute();
        });
  }

  private static void sealed() {
    Eventually.within(
        Duration.ofSeconds(20),
        "entries without a seal",
        () -> {
          audit().seal();
          return database()
              .read(tx ->
                  tx.query(
                          "select not exists (select from audit left join audit_seal on"
                              + " audit_id = audit.id where position is null)")
                      .mapTo(Boolean.class)
                      .one());
        });
  }

  @Test
  @DisplayName("S10: what is done is found by who runs the tenant, and exported while it runs")
  void whatIsDoneIsFoundByWhoRunsTheTenantAndByNobodyElse() {
    String made =
        server
            .call(
                "POST",
                "/api/v1/projects",
                owner,
                "{\"name\": \"Audited\"}",
                "User-Agent",
                "=cmd()")
            .json()
            .path("id")
            .asText();
    JsonNode entry =
        get(owner, PATH + "?action=project.create&target_id=" + made).path("items").path(0);
    assertThat(entry.path("actor_name").asText()).isEqualTo("dev-user");
    assertThat(entry.path("actor_ip").asText()).isNotBlank();
    assertThat(entry.path("user_agent").asText()).isEqualTo("=cmd()");
    assertThat(entry.path("result").asText()).isEqualTo("success");
    server.running().admittance().identities().ensure("audit-other", "a long password", false);
    String other = server.token("audit-other", "a long password");
    assertThat(get(other, PATH + "?target_id=" + made).path("items")).isEmpty();
    assertThat(get(admin, PATH + "?target_id=" + made).path("items")).hasSize(1);
    assertThat(server.call("GET", PATH + "/verification", owner, "").status()).isEqualTo(403);
    assertThat(server.call("GET", PATH + "?from=yesterday", owner, "").status()).isEqualTo(400);
    assertThat(server.call("GET", PATH + "?actor_user_id=x", owner, "").status()).isEqualTo(400);
    String csv =
        server.call("GET", PATH + "/export?format=csv&target_id=" + made, owner, "").body();
    assertThat(csv.lines()).hasSize(2);
    assertThat(csv).contains("\"'=cmd()\"");
    List<String> lines = server.call("GET", PATH + "/export", owner, "").body().lines().toList();
    assertThat(lines).hasSizeGreaterThan(1).allMatch(line -> line.startsWith("{\"id\":"));
  }

  @Test
  @DisplayName("S10: what is refused is in the trail too")
  void whatIsRefusedIsThereToo() {
    String nowhere = "/api/v1/projects/" + UUID.randomUUID();
    server.call("GET", nowhere, owner, ""); // somebody else's, or none at all: the same
    server.call("GET", PATH + "/verification", owner, "");
    server.call("GET", "/api/v1/me", "nonsense", "");
    JsonNode own = get(owner, PATH + "?action=authz.deny").path("items");
    assertThat(own.findValuesAsText("path")).contains(PATH + "/verification");
    assertThat(own.findValuesAsText("result")).containsOnly("failure");
    JsonNode all = get(admin, PATH + "?action=authz.deny").path("items");
    assertThat(all.findValuesAsText("path"))
        .contains("/api/v1/me", "/api/v1/projects/{project_id}");
    assertThat(all.toString()).doesNotContain("nonsense");
  }

  @Test
  @DisplayName("S10: a row that is changed, deleted or put in is found")
  void nobodyChangesItUnnoticed() {
    server.call("POST", "/api/v1/projects", owner, "{\"name\": \"Sealed one\"}");
    server.call("POST", "/api/v1/projects", owner, "{\"name\": \"Sealed two\"}");
    sealed();
    assertThat(audit().verify()).isInstanceOf(Verdict.Whole.class);
    JsonNode verdict = get(admin, PATH + "/verification");
    assertThat(verdict.path("intact").asBoolean()).isTrue();
    assertThat(verdict.path("head").asText()).matches("[0-9a-f]{64}");
    assertThatThrownBy(() -> database().run(tx -> tx.update("delete from audit").execute()));
    assertThatThrownBy(() -> database().run(tx -> tx.update("truncate audit_seal").execute()));

    String some = "(select audit_id from audit_seal order by position desc offset 1 limit 1)";
    tamper("update audit set actor_name = 'x' || actor_name where id = " + some);
    assertThat(audit().verify()).isInstanceOf(Verdict.Broken.class);
    tamper("update audit set actor_name = substr(actor_name, 2) where id = " + some);
    assertThat(audit().verify()).isInstanceOf(Verdict.Whole.class);

    tamper("create table kept as select * from audit where id = " + some);
    tamper("delete from audit where id = " + some);
    assertThat(audit().verify())
        .isInstanceOfSatisfying(
            Verdict.Broken.class, broken -> assertThat(broken.why()).contains("gone"));
    tamper("insert into audit overriding system value select * from kept");
    tamper("drop table kept");
    assertThat(audit().verify()).isInstanceOf(Verdict.Whole.class);

    tamper(
        "insert into audit (at, actor_id, actor_role, project_id, action, target_id,"
            + " correlation_id) select at, actor_id, actor_role, project_id, action, target_id,"
            + " correlation_id from audit where id = "
            + some); // slipped in among old ones
    assertThat(audit().verify()).isInstanceOf(Verdict.Broken.class);
    tamper("delete from audit where id = (select max(id) from audit)");
    assertThat(audit().verify()).isInstanceOf(Verdict.Whole.class);

    tamper("insert into audit_unsealed values (999999999999)"); // as if it had been deleted in time
    assertThat(audit().verify()).isInstanceOf(Verdict.Broken.class);
    tamper("delete from audit_unsealed where audit_id = 999999999999");
    assertThat(audit().verify()).isInstanceOf(Verdict.Whole.class);
  }
}
