package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.base.Secrets;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.session.LogInCodes;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Each way to get in that is not the way. */
class LogInAttackTest {

  private static final String PASSWORD = "a long enough word";

  private static TestServer server;
  private static LogInClient client;

  @BeforeAll
  static void start() throws IOException {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS",
                "1xH200",
                "GPUAAS_IDP_PORT",
                LogInClient.freePort(),
                "GPUAAS_IDP_WRONG_PASSWORDS_MOST",
                "3",
                "GPUAAS_IDP_REDIRECT_URIS",
                "https://portal.example.com/callback"));
    client = new LogInClient(server);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String somebody(String name) {
    server.running().admittance().identities().ensure(name, PASSWORD, false);
    return name;
  }

  private static void isRefused(Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(401);
    assertThat(answer.json().path("code").asText()).isEqualTo("token_invalid");
    assertThat(answer.body()).doesNotContain("access_token");
  }

  private static String auth(String... pairs) {
    StringBuilder url =
        new StringBuilder(server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/auth?x=y");
    for (int i = 0; i < pairs.length; i += 2) {
      url.append('&').append(pairs[i]).append('=').append(LogInClient.encoded(pairs[i + 1]));
    }
    return url.toString();
  }

  private static String[] good(String... more) {
    String[] pairs = {
      "client_id",
      "gpuaas-api",
      "redirect_uri",
      LogInClient.REDIRECT,
      "response_type",
      "code",
      "code_challenge",
      LogInCodes.challenge(LogInClient.VERIFIER),
      "code_challenge_method",
      "S256"
    };
    String[] all = java.util.Arrays.copyOf(pairs, pairs.length + more.length);
    System.arraycopy(more, 0, all, pairs.length, more.length);
    for (int i = 0; i < more.length; i += 2) {
      for (int j = 0; j < pairs.length; j += 2) {
        if (more[i].equals(all[j])) {
          all[j + 1] = more[i + 1];
          all[pairs.length + i] = "unused" + i;
        }
      }
    }
    return all;
  }

  private static Answer get(String url) {
    return TestServer.send("GET", url, Map.of(), "");
  }

  // --- codes ---

  @Test
  void aCodeUsedTwiceEndsWhatItGave() {
    String code = client.code(somebody("replayed"), PASSWORD);
    JsonNode first = client.exchange(code, LogInClient.VERIFIER, LogInClient.REDIRECT).json();
    String token = first.path("access_token").asText();
    assertThat(client.me(token)).isEqualTo(200);
    isRefused(client.exchange(code, LogInClient.VERIFIER, LogInClient.REDIRECT));
    assertThat(client.me(token)).isEqualTo(401);
    isRefused(client.refresh(first.path("refresh_token").asText()));
  }

  @Test
  void aCodeIsBoundToItsVerifierAndItsAddress() {
    String name = somebody("bound");
    String other = "b".repeat(50);
    isRefused(client.exchange(client.code(name, PASSWORD), other, LogInClient.REDIRECT));
    isRefused(
        client.exchange(
            client.code(name, PASSWORD), LogInClient.VERIFIER, "http://127.0.0.1:45679/callback"));
    String spoilt = client.code(name, PASSWORD);
    isRefused(client.exchange(spoilt, other, LogInClient.REDIRECT));
    isRefused(client.exchange(spoilt, LogInClient.VERIFIER, LogInClient.REDIRECT));
    isRefused(client.exchange("made-up", LogInClient.VERIFIER, LogInClient.REDIRECT));
    Answer bad = client.exchange("made-up", "too short", LogInClient.REDIRECT);
    assertThat(bad.status()).isEqualTo(400);
  }

  @Test
  void onlyTheClientWithItsSecretGetsTokensFromTheProvider() {
    String code = client.code(somebody("confidential"), PASSWORD);
    String form =
        "grant_type=authorization_code&client_id=gpuaas-api&code="
            + code
            + "&code_verifier="
            + LogInClient.VERIFIER
            + "&redirect_uri="
            + LogInClient.encoded(LogInClient.REDIRECT);
    String url = server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token";
    assertThat(TestServer.send("POST", url, Map.of(), form).status()).isEqualTo(401);
    Answer right =
        TestServer.send("POST", url, Map.of(), form + "&client_secret=dev-client-secret");
    assertThat(right.status()).as(right.body()).isEqualTo(200);
    assertThat(right.json().path("id_token").asText()).isNotEmpty();
  }

  // --- the request ---

  @Test
  void nobodyIsSentWhereTheyShouldNotGo() {
    for (String uri :
        List.of(
            "https://evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://localhost:80@evil.example/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:1/#part",
            "http://127.0.0.1\\@evil.example/",
            "http://127.0.0.1/\r\nSet-Cookie: a=b",
            "http://127.0.0.1/%zz",
            "//evil.example",
            "javascript:alert(1)",
            "https://127.0.0.1/",
            "http://127.0.0.2/",
            "https://portal.example.com/callback/",
            "https://portal.example.com/callback?x=y",
            "")) {
      Answer page = get(auth(good("redirect_uri", uri)));
      assertThat(page.status()).as(uri).isEqualTo(400);
      assertThat(page.headers()).as(uri).doesNotContainKey("location");
      Answer api =
          server.call(
              "GET",
              "/api/v1/auth/oidc/authorize?method=S256&code_challenge="
                  + LogInCodes.challenge(LogInClient.VERIFIER)
                  + "&redirect_uri="
                  + LogInClient.encoded(uri),
              "",
              "");
      assertThat(api.status()).as(uri).isEqualTo(400);
      assertThat(api.json().path("code").asText()).isEqualTo("validation_error");
    }
    for (String uri :
        List.of(
            "https://portal.example.com/callback",
            "http://localhost/",
            "http://[::1]:8000/a/b?c=d",
            "http://127.0.0.1:1")) {
      assertThat(get(auth(good("redirect_uri", uri))).status()).as(uri).isEqualTo(200);
    }
    assertThat(get(auth(good("client_id", "another"))).status()).isEqualTo(400);
  }

  @Test
  void aChallengeMustBeThereAndByS256() {
    for (String[] more :
        new String[][] {
          {"code_challenge_method", "plain"},
          {"code_challenge_method", ""},
          {"code_challenge", ""},
          {"code_challenge", "short"},
          {"response_type", "token"},
          {"response_mode", "fragment"},
          {"prompt", "none"}
        }) {
      Answer answer = get(auth(good(more)) + "&state=kept%20as%20it%20is");
      assertThat(answer.status()).as(more[0] + more[1]).isEqualTo(303);
      Map<String, String> query = LogInClient.query(answer.headers().get("location"));
      assertThat(query).containsKey("error").doesNotContainKey("code");
      assertThat(query.get("state")).isEqualTo("kept as it is");
    }
    String url = "/api/v1/auth/oidc/authorize?redirect_uri=http%3A%2F%2Flocalhost%3A1%2F";
    for (String bad :
        List.of("", "&code_challenge=" + "c".repeat(43), "&method=S256&code_challenge=x")) {
      assertThat(server.call("GET", url + bad, "", "").status()).as(bad).isEqualTo(400);
    }
    String plain = url + "&method=plain&code_challenge=" + "c".repeat(43);
    assertThat(server.call("GET", plain, "", "").status()).isEqualTo(400);
    Answer twice = get(auth(good()) + "&state=a&state=b");
    assertThat(LogInClient.query(twice.headers().get("location")))
        .containsEntry("error", "invalid_request");
  }

  // --- the page ---

  @Test
  void noOtherSiteMayFrameOrScriptThePage() {
    Answer page = get(auth(good("login_hint", "\"><script>alert(1)</script>")));
    assertThat(page.body()).doesNotContain("<script").contains("&lt;script&gt;");
    assertThat(page.headers())
        .containsEntry("x-frame-options", "DENY")
        .containsEntry("cache-control", "no-store")
        .containsEntry("x-content-type-options", "nosniff")
        .containsEntry("referrer-policy", "no-referrer");
    assertThat(page.headers().get("content-security-policy"))
        .contains("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'")
        .contains("form-action 'self' http://127.0.0.1:45678;")
        .doesNotContain("unsafe");
    assertThat(page.headers().get("set-cookie"))
        .contains("HttpOnly", "SameSite=Lax", "Path=/realms/gpuaas");
  }

  @Test
  void anotherSitesFormIsNotOurs() {
    String name = somebody("forged");
    LogInClient.Page page = client.page();
    String elsewhere = "gpuaas_log_in=" + Secrets.token();
    for (Answer answer :
        List.of(
            client.send(page, name, PASSWORD, "Cookie", elsewhere),
            client.send(page, name, PASSWORD, "Cookie", "none=1"),
            client.send(page, name, PASSWORD, "Sec-Fetch-Site", "cross-site"),
            client.send(page, name, PASSWORD, "Sec-Fetch-Site", "same-site"),
            client.send(
                new LogInClient.Page(page.answer(), page.action(), "", page.cookie()),
                name,
                PASSWORD))) {
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.headers()).doesNotContainKey("location");
    }
    assertThat(client.send(page, name, PASSWORD).status()).isEqualTo(303);
  }

  // --- names and passwords ---

  @Test
  void aNameIsRefusedAfterTooManyWrongPasswordsWhetherItExistsOrNot() {
    // The same answers for both, word for word: nobody learns who is here.
    String known = somebody("locked");
    String unknown = "never-was";
    for (int i = 0; i < 3; i++) {
      Answer one = client.send(client.page(), known, "wrong");
      Answer other = client.send(client.page(), unknown, "wrong");
      assertThat(one.status()).isEqualTo(401);
      assertThat(plain(one, known)).isEqualTo(plain(other, unknown));
    }
    Answer one = client.send(client.page(), known, PASSWORD);
    Answer other = client.send(client.page(), unknown, PASSWORD);
    assertThat(one.status()).as("even the right one").isEqualTo(429);
    assertThat(Integer.parseInt(one.headers().get("retry-after"))).isBetween(800, 901);
    assertThat(plain(one, known)).isEqualTo(plain(other, unknown)).contains("15 minutes");
    String signIn = "{\"username\": \"%s\", \"password\": \"%s\"}";
    Answer api =
        client.post("/api/v1/auth/personal/sign-in", "", signIn.formatted(known, PASSWORD));
    assertThat(api.status()).as("and everywhere").isEqualTo(429);
    assertThat(api.headers()).containsKey("retry-after");
    Answer token =
        TestServer.send(
            "POST",
            server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token",
            Map.of(),
            "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret&username="
                + known
                + "&password="
                + LogInClient.encoded(PASSWORD));
    assertThat(token.status()).isEqualTo(429);
  }

  private static String plain(Answer answer, String name) {
    return answer
        .body()
        .replace(name, "NAME")
        .replaceAll("state=[^&\"]+", "")
        .replaceAll("value=\"[A-Za-z0-9_-]{43}\"", "");
  }

  @Test
  void aRightPasswordForgivesTheWrongOnes() {
    String name = somebody("forgiven");
    for (int i = 0; i < 3; i++) {
      client.send(client.page(), name, "wrong");
      client.send(client.page(), name, "wrong");
      assertThat(client.send(client.page(), name, PASSWORD).status()).isEqualTo(303);
    }
  }

  // --- sessions ---

  @Test
  void aRefreshTokenUsedTwiceEndsItsSessionAndNoOther() {
    String name = somebody("refreshed");
    JsonNode first = client.logIn(name, PASSWORD);
    JsonNode bystander = client.logIn(name, PASSWORD);
    String old = first.path("refresh_token").asText();
    JsonNode second = client.refresh(old).json();
    isRefused(client.refresh(old));
    assertThat(client.me(second.path("access_token").asText())).isEqualTo(401);
    isRefused(client.refresh(second.path("refresh_token").asText()));
    assertThat(client.me(bystander.path("access_token").asText())).isEqualTo(200);
  }

  @Test
  void oneEndsOnesOwnSessionsOnly() throws Exception {
    JsonNode mine = client.logIn(somebody("owner-of-sessions"), PASSWORD);
    JsonNode phone = client.logIn("owner-of-sessions", PASSWORD);
    JsonNode theirs = client.logIn(somebody("another"), PASSWORD);
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
    JsonNode grant = client.logIn(somebody("disabled"), PASSWORD);
    server.running().admittance().sessions().enable("disabled", false);
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(401);
    server.running().admittance().sessions().enable("disabled", true);
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(401);
    isRefused(client.refresh(grant.path("refresh_token").asText()));
  }

  @Test
  void anEndedSessionIsOverOnAnotherServerSoon() throws IOException {
    // Two servers over one database: what one ends, the other refuses within its recheck.
    JsonNode grant = client.logIn(somebody("on-two-servers"), PASSWORD);
    String token = grant.path("access_token").asText();
    var sessions = server.running().admittance().sessions();
    gpuaas.session.Sessions elsewhere =
        new gpuaas.session.Sessions(
            server.running().database(),
            server.running().admittance().identities(),
            gpuaas.base.Ids.timeOrdered(java.time.Clock.systemUTC()),
            java.time.Clock.systemUTC(),
            server.running().admittance().rules().sessions(),
            Duration.ofHours(1));
    elsewhere.endBy(grant.path("refresh_token").asText());
    Eventually.within(Duration.ofSeconds(20), "this server knows", () -> client.me(token) == 401);
    assertThat(sessions.isEnded("never")).isFalse();
  }

  @Test
  void anIdTokenOpensNothingAndLogsOut() {
    String code = client.code(somebody("with-id-token"), PASSWORD);
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
    Answer made = personal("sign-up", "newcomer", PASSWORD);
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    JsonNode me =
        server.call("GET", "/api/v1/me", made.json().path("access_token").asText(), "").json();
    assertThat(me.path("tenant_role").asText()).isEqualTo("owner");
    assertThat(me.path("roles")).hasSize(1);
    assertThat(personal("sign-up", "newcomer", "another password").json().path("code").asText())
        .isEqualTo("user_exists");
    assertThat(personal("sign-in", "newcomer", PASSWORD).status()).isEqualTo(200);
    assertThat(personal("sign-in", "newcomer", "another password").status()).isEqualTo(401);
    for (String[] bad :
        new String[][] {
          {"Capital", PASSWORD},
          {"a b", PASSWORD},
          {"nul\\u0000", PASSWORD},
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
