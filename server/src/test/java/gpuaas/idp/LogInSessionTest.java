package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Sessions: who has them, how they end, and that their ends are ends. */
class LogInSessionTest {

  private static TestServer server;
  private static LogInClient client;

  @BeforeAll
  static void start() throws IOException {
    server = LogInClient.server();
    client = new LogInClient(server);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer get(String url) {
    return TestServer.send("GET", url, Map.of(), "");
  }

  @Test
  void aRefreshTokenUsedTwiceEndsItsSessionAndNoOther() {
    String name = client.somebody("refreshed");
    JsonNode first = client.logIn(name, LogInClient.PASSWORD);
    JsonNode bystander = client.logIn(name, LogInClient.PASSWORD);
    String old = first.path("refresh_token").asText();
    JsonNode second = client.refresh(old).json();
    LogInClient.isRefused(client.refresh(old));
    assertThat(client.me(second.path("access_token").asText())).isEqualTo(401);
    LogInClient.isRefused(client.refresh(second.path("refresh_token").asText()));
    assertThat(client.me(bystander.path("access_token").asText())).isEqualTo(200);
  }

  @Test
  void oneEndsOnesOwnSessionsOnly() throws Exception {
    JsonNode mine = client.logIn(client.somebody("owner-of-sessions"), LogInClient.PASSWORD);
    JsonNode phone = client.logIn("owner-of-sessions", LogInClient.PASSWORD);
    JsonNode theirs = client.logIn(client.somebody("another"), LogInClient.PASSWORD);
    String token = mine.path("access_token").asText();
    String foreign = session(theirs);
    assertThat(server.call("DELETE", "/api/v1/auth/sessions/" + foreign, token, "").status())
        .isEqualTo(404);
    assertThat(
            server
                .call("DELETE", "/api/v1/auth/sessions/" + UUID.randomUUID(), token, "")
                .json()
                .path("code")
                .asText())
        .isEqualTo("session_not_found");
    assertThat(client.me(theirs.path("access_token").asText())).isEqualTo(200);
    assertThat(server.call("GET", "/api/v1/auth/sessions", token, "").json().path("items"))
        .hasSize(2);
    String path = "/api/v1/auth/sessions/" + session(phone);
    assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(204);
    assertThat(client.me(phone.path("access_token").asText())).isEqualTo(401);
    assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(404);
    assertThat(client.me(token)).isEqualTo(200);
  }

  private static String session(JsonNode grant) throws Exception {
    return SignedJWT.parse(grant.path("access_token").asText())
        .getJWTClaimsSet()
        .getStringClaim("sid");
  }

  @Test
  void whoeverIsDisabledIsLoggedOutForGood() {
    JsonNode grant = client.logIn(client.somebody("disabled"), LogInClient.PASSWORD);
    server.running().admittance().sessions().enable("disabled", false);
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(401);
    server.running().admittance().sessions().enable("disabled", true);
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(401);
    LogInClient.isRefused(client.refresh(grant.path("refresh_token").asText()));
  }

  @Test
  void anEndedSessionIsOverOnAnotherServerSoon() throws IOException {
    // Two servers over one database: what one ends, the other refuses within its recheck.
    JsonNode grant = client.logIn(client.somebody("on-two-servers"), LogInClient.PASSWORD);
    String token = grant.path("access_token").asText();
    var sessions = server.running().admittance().sessions();
    gpuaas.session.Sessions elsewhere =
        new gpuaas.session.Sessions(
            server.running().database(),
            server.running().admittance().identities(),
            gpuaas.base.Ids.timeOrdered(java.time.Clock.systemUTC()),
            java.time.Clock.systemUTC(),
            server.running().admittance().rules().sessions(),
            Duration.ofHours(1),
            _ -> {});
    elsewhere.endBy(grant.path("refresh_token").asText());
    Eventually.within(Duration.ofSeconds(20), "this server knows", () -> client.me(token) == 401);
    assertThat(sessions.isEnded("never")).isFalse();
  }

  @Test
  void anIdTokenOpensNothingAndLogsOut() {
    String code = client.code(client.somebody("with-id-token"), LogInClient.PASSWORD);
    String protocol = server.idpUrl() + "/realms/gpuaas/protocol/openid-connect";
    JsonNode grant =
        TestServer.send(
                "POST",
                protocol + "/token",
                Map.of(),
                "grant_type=authorization_code&client_id=gpuaas-api&client_secret=dev-client-secret"
                    + "&code="
                    + code
                    + "&code_verifier="
                    + LogInClient.VERIFIER
                    + "&redirect_uri="
                    + LogInClient.encoded(LogInClient.REDIRECT))
            .json();
    String idToken = grant.path("id_token").asText();
    String token = grant.path("access_token").asText();
    assertThat(client.me(idToken)).isEqualTo(401);
    Answer who =
        TestServer.send(
            "GET", protocol + "/userinfo", Map.of("Authorization", "Bearer " + token), "");
    assertThat(who.json().path("preferred_username").asText()).isEqualTo("with-id-token");
    assertThat(get(protocol + "/userinfo").status()).isEqualTo(401);
    Answer evil =
        get(
            protocol
                + "/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint="
                + token);
    assertThat(evil.status()).isEqualTo(400);
    assertThat(client.me(token)).isEqualTo(200);
    Answer out =
        get(
            protocol
                + "/logout?state=s&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fbye"
                + "&id_token_hint="
                + idToken);
    assertThat(out.status()).isEqualTo(303);
    assertThat(out.headers().get("location")).isEqualTo("http://localhost:1/bye?state=s");
    assertThat(client.me(token)).isEqualTo(401);
  }

  // --- personal accounts ---

  private static Answer personal(String what, String name, String password) {
    return client.post(
        "/api/v1/auth/personal/" + what,
        "",
        "{\"username\": \"%s\", \"password\": \"%s\"}".formatted(name, password));
  }

  @Test
  void anybodyMayMakeThemselvesAnAccountWhereThatIsOn() {
    Answer made = personal("sign-up", "newcomer", LogInClient.PASSWORD);
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    JsonNode me =
        server.call("GET", "/api/v1/me", made.json().path("access_token").asText(), "").json();
    assertThat(me.path("tenant_role").asText()).isEqualTo("owner");
    assertThat(me.path("roles")).hasSize(1);
    assertThat(personal("sign-up", "newcomer", "another password").json().path("code").asText())
        .isEqualTo("user_exists");
    assertThat(personal("sign-in", "newcomer", LogInClient.PASSWORD).status()).isEqualTo(200);
    assertThat(personal("sign-in", "newcomer", "another password").status()).isEqualTo(401);
    for (String[] bad :
        new String[][] {
          {"Capital", LogInClient.PASSWORD},
          {"a b", LogInClient.PASSWORD},
          {"nul\\u0000", LogInClient.PASSWORD},
          {"shorty", "short"},
          {"contained", "my-contained-word"}
        }) {
      assertThat(personal("sign-up", bad[0], bad[1]).status()).as(bad[0]).isEqualTo(400);
    }
  }

  @Test
  void whereItIsOffItSaysSo() throws IOException {
    try (TestServer strict =
        TestServer.start(
            Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200", "GPUAAS_AUTH_PERSONAL", "false"))) {
      for (String what : List.of("sign-in", "sign-up")) {
        Answer answer = strict.call("POST", "/api/v1/auth/personal/" + what, "", "{}");
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.json().path("code").asText()).isEqualTo("auth_personal_disabled");
      }
    }
  }
}
