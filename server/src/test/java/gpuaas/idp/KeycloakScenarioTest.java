package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Logging in by a real Keycloak; the last test stops it. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KeycloakScenarioTest {

  private static Keycloak keycloak;
  private static TestServer server;
  private static LogInClient client;
  private static String tenant;

  @BeforeAll
  static void start() throws IOException {
    keycloak = Keycloak.start();
    try (TestServer before = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200"))) {
      assertThat(before.token("dev-user", "dev123")).isNotEmpty();
    }
    tenant = UUID.randomUUID().toString();
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS",
                "1xH200",
                "GPUAAS_IDP_PORT",
                LogInClient.freePort(),
                "GPUAAS_DEVELOPMENT",
                "true",
                "GPUAAS_OIDC_ISSUER",
                keycloak.issuer(),
                "GPUAAS_OIDC_CLIENT_SECRET",
                "keycloak-client-secret",
                "GPUAAS_OIDC_GROUP_ROLES",
                "operators=platform-admin,researchers=" + tenant + ":member"));
    client = new LogInClient(server);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    keycloak.close();
  }

  private static Answer grant(String form) {
    return TestServer.send(
        "POST",
        keycloak.issuer() + "/protocol/openid-connect/token",
        Map.of("Content-Type", "application/x-www-form-urlencoded"),
        form);
  }

  private static String password(String name, String password) {
    Answer answer =
        grant(
            "grant_type=password&client_id=gpuaas-api&client_secret=keycloak-client-secret&username="
                + name
                + "&password="
                + password);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json().path("access_token").asText();
  }

  private static JsonNode me(String token) {
    Answer answer = server.call("GET", "/api/v1/me", token, "");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  /** The page of Keycloak, filled in as a browser would; where it leads. */
  private static String throughThePage(String url, String name, String password)
      throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> page =
          http.send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.ofString());
      // A browser takes this machine for safe and sends its Secure cookies; Java's cookies do not.
      String cookies =
          page.headers().allValues("set-cookie").stream()
              .map(cookie -> cookie.split(";", 2)[0])
              .collect(Collectors.joining("; "));
      Matcher action = Pattern.compile("action=\"([^\"]+)\"").matcher(page.body());
      assertThat(action.find()).as(page.body()).isTrue();
      HttpRequest form =
          HttpRequest.newBuilder(URI.create(action.group(1).replace("&amp;", "&")))
              .header("Content-Type", "application/x-www-form-urlencoded")
              .header("Cookie", cookies)
              .POST(
                  HttpRequest.BodyPublishers.ofString("username=" + name + "&password=" + password))
              .build();
      HttpResponse<String> answer = http.send(form, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(302);
      return answer.headers().firstValue("location").orElseThrow();
    }
  }

  private static JsonNode logIn(String name, String password)
      throws IOException, InterruptedException {
    JsonNode authorization = client.authorize();
    Map<String, String> query =
        LogInClient.query(
            throughThePage(authorization.path("authorize_url").asText(), name, password));
    assertThat(query.get("state")).isEqualTo(authorization.path("state").asText());
    Answer answer = client.exchange(query.get("code"), LogInClient.VERIFIER, LogInClient.REDIRECT);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  @Test
  @Order(1)
  void aTokenOfKeycloakOpens() {
    JsonNode grace = me(password("grace", "grace-word"));
    assertThat(grace.path("username").asText()).isEqualTo("grace");
    assertThat(grace.path("roles")).as("nobody becomes an administrator by accident").hasSize(1);
    assertThat(grace.path("tenant_role").asText()).as("of their own tenant").isEqualTo("owner");
    assertThat(me(server.token("dev-admin", "admin123")).path("roles"))
        .as("local people go on")
        .hasSize(2);
  }

  @Test
  @Order(2)
  void theSameNameHereIsSomebodyElse() {
    JsonNode here = me(server.token("dev-user", "dev123"));
    JsonNode there = me(password("dev-user", "their-word"));
    assertThat(there.path("id")).isNotEqualTo(here.path("id"));
    assertThat(there.path("tenant_id")).isNotEqualTo(here.path("tenant_id"));
    assertThat(me(password("dev-user", "their-word")).path("id")).isEqualTo(there.path("id"));
  }

  @Test
  @Order(2)
  void whoIsKnownThereIsToldToLogInThere() {
    assertThat(signIn("grace", "grace-word").json().path("code").asText())
        .isEqualTo("auth_enterprise_required");
    assertThat(signIn("nobody-at-all", "x").json().path("code").asText())
        .isEqualTo("token_invalid");
    assertThat(signIn("dev-user", "dev123").status()).isEqualTo(200);
    JsonNode asked =
        server
            .call(
                "GET",
                "/api/v1/auth/oidc/authorize?redirect_uri=http://127.0.0.1:9/callback&method=S256"
                    + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
                    + "&provider_hint=github&identity_hint=grace@example.com",
                "",
                "")
            .json();
    assertThat(asked.path("authorize_url").asText())
        .contains("&kc_idp_hint=github")
        .contains("&login_hint=grace%40example.com");
  }

  private static Answer signIn(String name, String word) {
    return client.post(
        "/api/v1/auth/personal/sign-in",
        "",
        "{\"username\": \"" + name + "\", \"password\": \"" + word + "\"}");
  }

  @Test
  @Order(3)
  void tokensForOthersOpenNothing() {
    String other =
        grant(
                "grant_type=password&client_id=another-client&username=grace&password=grace-word"
                    + "&scope=openid")
            .json()
            .path("access_token")
            .asText();
    assertThat(other).isNotEmpty();
    assertThat(client.me(other)).isEqualTo(401);
    String idToken =
        grant(
                "grant_type=password&client_id=gpuaas-api&client_secret=keycloak-client-secret"
                    + "&username=grace&password=grace-word&scope=openid")
            .json()
            .path("id_token")
            .asText();
    assertThat(idToken).isNotEmpty();
    assertThat(client.me(idToken)).isEqualTo(401);
    String good = password("grace", "grace-word");
    assertThat(client.me(good.substring(0, good.lastIndexOf('.') + 1) + "AAAA")).isEqualTo(401);
  }

  @Test
  @Order(4)
  void aGroupIsARole() throws Exception {
    assertThat(me(password("ada", "ada-word")).path("roles"))
        .extracting(JsonNode::asText)
        .contains("admin");
  }

  @Test
  @Order(5)
  void theWholeWayThroughItsPage() throws Exception {
    JsonNode grant = logIn("grace", "grace-word");
    String token = grant.path("access_token").asText();
    assertThat(me(token).path("username").asText()).isEqualTo("grace");
    JsonNode next = client.refresh(grant.path("refresh_token").asText()).json();
    String further = next.path("access_token").asText();
    assertThat(client.me(further)).isEqualTo(200);
    JsonNode sessions =
        server.call("GET", "/api/v1/auth/sessions", further, "").json().path("items");
    assertThat(sessions).anyMatch(session -> session.path("current").asBoolean());
    Answer out =
        client.post(
            "/api/v1/auth/logout",
            further,
            "{\"refresh_token\": \"" + next.path("refresh_token").asText() + "\"}");
    assertThat(out.status()).isEqualTo(204);
    assertThat(client.me(token)).isEqualTo(401);
    assertThat(client.me(further)).isEqualTo(401);
    assertThat(client.refresh(next.path("refresh_token").asText()).status()).isEqualTo(401);
    Answer wrong = client.exchange("made-up", LogInClient.VERIFIER, LogInClient.REDIRECT);
    assertThat(wrong.status()).isEqualTo(401);
    assertThat(me(logIn("grace", "grace-word").path("access_token").asText()).isObject())
        .as("and in again")
        .isTrue();
  }

  @Test
  @Order(6)
  void whoeverIsKnownGoesOnWhileItIsAway() {
    String token = password("grace", "grace-word");
    String unseen = password("ada", "ada-word");
    assertThat(client.me(token)).isEqualTo(200);
    keycloak.close();
    assertThat(client.me(token)).isEqualTo(200);
    assertThat(client.me(unseen)).as("its keys are known").isEqualTo(200);
    Answer code = client.exchange("made-up", LogInClient.VERIFIER, LogInClient.REDIRECT);
    assertThat(code.status()).isEqualTo(503);
    assertThat(code.json().path("code").asText()).isEqualTo("upstream_error");
    assertThat(Integer.parseInt(code.headers().get("retry-after"))).isPositive();
    assertThat(client.refresh("made-up").status()).isEqualTo(503);
  }
}
