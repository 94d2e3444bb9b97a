package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What those who run the platform can do with people, and what those people notice. */
class UserScenarioTest {

  private static final String USERS = "/api/v1/admin/users";
  private static final String WORD = "a long password";

  private static TestServer server;
  private static String admin;

  @BeforeAll
  static void start() throws IOException {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"));
    admin = server.token("dev-admin", "admin123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer create(String name) {
    return server.call(
        "POST",
        USERS,
        admin,
        "{\"username\": \"" + name + "\", \"password\": \"" + WORD + "\", \"admin\": true}");
  }

  private static int me(String token) {
    return server.call("GET", "/api/v1/me", token, "").status();
  }

  @Test
  void somebodyNewLogsInAndIsListed() {
    Answer made = create("lise");
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    assertThat(made.json().path("roles")).as("what was not asked for is not given").hasSize(1);
    assertThat(me(server.token("lise", WORD))).isEqualTo(200);
    JsonNode found = server.call("GET", USERS + "?username=lise", admin, "").json().path("items");
    assertThat(found).hasSize(1);
    assertThat(found.get(0)).isEqualTo(made.json());
    Answer again = create("lise");
    assertThat(again.status()).isEqualTo(409);
    assertThat(again.json().path("code").asText()).isEqualTo("user_exists");
    JsonNode first = server.call("GET", USERS + "?page_size=1", admin, "").json();
    JsonNode second =
        server
            .call(
                "GET",
                USERS + "?page_size=1&cursor=" + first.path("next_cursor").asText(),
                admin,
                "")
            .json();
    assertThat(second.path("items").get(0)).isNotEqualTo(first.path("items").get(0));
    assertThat(server.call("GET", USERS, server.token("lise", WORD), "").status()).isEqualTo(403);
  }

  @Test
  void whoIsDisabledHasNothingOpenAndComesBackWhenEnabled() {
    String id = create("emmy").json().path("id").asText();
    String token = server.token("emmy", WORD);
    String key =
        server
            .call("POST", "/api/v1/api-keys", token, "{\"name\": \"k\", \"scopes\": [\"*\"]}")
            .json()
            .path("key")
            .asText();
    Answer disabled = server.call("POST", USERS + "/" + id + "/disable", admin, "");
    assertThat(disabled.status()).as(disabled.body()).isEqualTo(200);
    assertThat(disabled.json().path("disabled_at").isNull()).isFalse();
    assertThat(me(token)).isEqualTo(401);
    assertThat(me(key)).isEqualTo(401);
    assertThat(server.token("emmy", WORD)).isEmpty();
    server.call("POST", USERS + "/" + id + "/enable", admin, "");
    assertThat(me(server.token("emmy", WORD))).isEqualTo(200);
    assertThat(me(token)).as("the session has ended for good").isEqualTo(401);
    JsonNode trail =
        server.call("GET", "/api/v1/admin/audit-logs?target_id=" + id, admin, "").json();
    assertThat(trail.path("items").findValuesAsText("action"))
        .containsExactly("user.enable", "user.disable", "user.create");
  }

  @Test
  void whoIsDeletedIsForgottenAndTheNameIsFree() {
    String id = create("maria").json().path("id").asText();
    String token = server.token("maria", WORD);
    String lease =
        server
            .call(
                "POST",
                "/api/v1/allocations",
                token,
                "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\":"
                    + " \"us-buffalo-1\"}")
            .json()
            .path("id")
            .asText();
    Answer early = server.call("DELETE", USERS + "/" + id, admin, "");
    assertThat(early.status()).as("something of hers runs").isEqualTo(409);
    server.call("POST", "/api/v1/allocations/" + lease + "/release", token, "");
    server.awaitStatus(token, lease, "released");
    assertThat(server.call("DELETE", USERS + "/" + id, admin, "").status()).isEqualTo(204);
    assertThat(me(token)).isEqualTo(401);
    assertThat(server.call("GET", USERS + "/" + id, admin, "").status()).isEqualTo(404);
    assertThat(create("maria").json().path("id").asText()).isNotEmpty().isNotEqualTo(id);
  }

  @Test
  void nobodyLocksThemselvesOut() {
    String self = server.call("GET", "/api/v1/me", admin, "").json().path("id").asText();
    assertThat(server.call("POST", USERS + "/" + self + "/disable", admin, "").status())
        .isEqualTo(409);
    assertThat(server.call("DELETE", USERS + "/" + self, admin, "").status()).isEqualTo(409);
  }
}
