package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Funds and budgets over HTTP: everybody sees their own, only administrators set any. */
class MoneyScenarioTest {

  private static final String BUDGETS = "/api/v1/budgets";

  @Test
  void anAdministratorSetsABudgetAndItsOwnerSeesItAndIsHeldToIt() throws Exception {
    try (TestServer server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
                "GPUAAS_LEDGER_STARTING_CREDIT_MICROS", "25000000"))) {
      String user = server.token("dev-user", "dev123");
      String admin = server.token("dev-admin", "admin123");
      JsonNode credits = server.call("GET", "/api/v1/credits", user, "").json();
      assertThat(credits.path("funds_micros").asLong()).isEqualTo(25_000_000);
      assertThat(credits.path("held_micros").asLong()).isZero();
      assertThat(credits.path("currency").asText()).isEqualTo("USD");
      JsonNode key = server.call("POST", "/api/v1/api-keys", user, "{\"name\": \"b\"}").json();
      String ofProject = BUDGETS + "/projects/" + key.path("project_id").asText() + "/total";
      String ofKey = BUDGETS + "/api-keys/" + key.path("id").asText() + "/month";
      String cent = "{\"most_micros\": 10000}";

      Answer denied = server.call("PUT", ofProject, user, cent);
      assertThat(denied.status()).as("not one's own limit").isEqualTo(403);
      assertThat(server.call("DELETE", ofProject, user, "").status()).isEqualTo(403);
      assertThat(server.call("PUT", ofProject, key.path("key").asText(), cent).status())
          .as("a key may no more than its owner")
          .isEqualTo(403);

      Answer set = server.call("PUT", ofProject, admin, cent);
      assertThat(set.status()).as(set.body()).isEqualTo(200);
      Answer hours = server.call("PUT", ofKey, admin, "{\"most_gpu_seconds\": 3600}");
      assertThat(hours.json().path("most_micros").isNull()).isTrue();
      JsonNode seen = server.call("GET", BUDGETS, user, "").json().path("items");
      assertThat(seen).hasSize(2).contains(set.json(), hours.json());
      JsonNode first = server.call("GET", BUDGETS + "?page_size=1", user, "").json();
      String cursor = first.path("next_cursor").asText();
      JsonNode second =
          server.call("GET", BUDGETS + "?page_size=1&cursor=" + cursor, user, "").json();
      assertThat(List.of(first.path("items").get(0), second.path("items").get(0)))
          .containsExactlyElementsOf(seen);
      assertThat(second.path("next_cursor").isNull()).isTrue();
      assertThat(server.call("GET", BUDGETS, admin, "").json().path("items"))
          .as("of another tenant")
          .isEmpty();

      Answer again = server.call("PUT", ofProject, admin, "{\"most_micros\": 20000}");
      assertThat(again.json().path("most_micros").asLong()).isEqualTo(20_000);
      assertThat(server.call("GET", BUDGETS, user, "").json().path("items")).hasSize(2);
      Answer refused =
          server.call(
              "POST",
              "/api/v1/allocations",
              user,
              "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\":"
                  + " \"us-buffalo-1\"}");
      assertThat(refused.status()).as(refused.body()).isEqualTo(409);
      assertThat(refused.json().path("code").asText()).isEqualTo("quota_exceeded");

      assertThat(server.call("DELETE", ofProject, admin, "").status()).isEqualTo(204);
      assertThat(server.call("DELETE", ofProject, admin, "").json().path("code").asText())
          .isEqualTo("budget_not_found");
      assertThat(server.call("GET", BUDGETS, user, "").json().path("items")).hasSize(1);
      wrongIsRefused(server, admin, ofProject);
    }
  }

  private static void wrongIsRefused(TestServer server, String admin, String there) {
    for (String body :
        new String[] {"{}", "{\"most_micros\": -1}", "{\"most_micros\": 0.5}", "[", ""}) {
      assertThat(server.call("PUT", there, admin, body).status()).as(body).isEqualTo(400);
    }
    String nobody = BUDGETS + "/projects/" + new UUID(0, 1) + "/total";
    assertThat(
            server.call("PUT", nobody, admin, "{\"most_micros\": 1}").json().path("code").asText())
        .isEqualTo("project_not_found");
    String odd = there.replace("/total", "/week");
    assertThat(server.call("PUT", odd, admin, "{\"most_micros\": 1}").status()).isEqualTo(400);
  }
}
