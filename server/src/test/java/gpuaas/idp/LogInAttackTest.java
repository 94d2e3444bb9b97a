package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.base.Secrets;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.session.LogInCodes;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Each way to get in that is not the way. */
class LogInAttackTest {

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
    String code = client.code(client.somebody("replayed"), LogInClient.PASSWORD);
    JsonNode first = client.exchange(code, LogInClient.VERIFIER, LogInClient.REDIRECT).json();
    String token = first.path("access_token").asText();
    assertThat(client.me(token)).isEqualTo(200);
    LogInClient.isRefused(client.exchange(code, LogInClient.VERIFIER, LogInClient.REDIRECT));
    assertThat(client.me(token)).isEqualTo(401);
    LogInClient.isRefused(client.refresh(first.path("refresh_token").asText()));
  }

  @Test
  void aCodeIsBoundToItsVerifierAndItsAddress() {
    String name = client.somebody("bound");
    String other = "b".repeat(50);
    LogInClient.isRefused(
        client.exchange(client.code(name, LogInClient.PASSWORD), other, LogInClient.REDIRECT));
    LogInClient.isRefused(
        client.exchange(
            client.code(name, LogInClient.PASSWORD),
            LogInClient.VERIFIER,
            "http://127.0.0.1:45679/callback"));
    String spoilt = client.code(name, LogInClient.PASSWORD);
    LogInClient.isRefused(client.exchange(spoilt, other, LogInClient.REDIRECT));
    LogInClient.isRefused(client.exchange(spoilt, LogInClient.VERIFIER, LogInClient.REDIRECT));
    LogInClient.isRefused(client.exchange("made-up", LogInClient.VERIFIER, LogInClient.REDIRECT));
    Answer bad = client.exchange("made-up", "too short", LogInClient.REDIRECT);
    assertThat(bad.status()).isEqualTo(400);
  }

  @Test
  void onlyTheClientWithItsSecretGetsTokensFromTheProvider() {
    String code = client.code(client.somebody("confidential"), LogInClient.PASSWORD);
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
    String name = client.somebody("forged");
    LogInClient.Page page = client.page();
    String elsewhere = "gpuaas_log_in=" + Secrets.token();
    for (Answer answer :
        List.of(
            client.send(page, name, LogInClient.PASSWORD, "Cookie", elsewhere),
            client.send(page, name, LogInClient.PASSWORD, "Cookie", "none=1"),
            client.send(page, name, LogInClient.PASSWORD, "Sec-Fetch-Site", "cross-site"),
            client.send(page, name, LogInClient.PASSWORD, "Sec-Fetch-Site", "same-site"),
            client.send(
                new LogInClient.Page(page.answer(), page.action(), "", page.cookie()),
                name,
                LogInClient.PASSWORD))) {
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.headers()).doesNotContainKey("location");
    }
    assertThat(client.send(page, name, LogInClient.PASSWORD).status()).isEqualTo(303);
  }

  // --- names and passwords ---

  @Test
  void aNameIsRefusedAfterTooManyWrongPasswordsWhetherItExistsOrNot() {
    // The same answers for both, word for word: nobody learns who is here.
    String known = client.somebody("locked");
    String unknown = "never-was";
    for (int i = 0; i < 3; i++) {
      Answer one = client.send(client.page(), known, "wrong");
      Answer other = client.send(client.page(), unknown, "wrong");
      assertThat(one.status()).isEqualTo(401);
      assertThat(plain(one, known)).isEqualTo(plain(other, unknown));
    }
    Answer one = client.send(client.page(), known, LogInClient.PASSWORD);
    Answer other = client.send(client.page(), unknown, LogInClient.PASSWORD);
    assertThat(one.status()).as("even the right one").isEqualTo(429);
    assertThat(Integer.parseInt(one.headers().get("retry-after"))).isBetween(800, 901);
    assertThat(plain(one, known)).isEqualTo(plain(other, unknown)).contains("15 minutes");
    String signIn = "{\"username\": \"%s\", \"password\": \"%s\"}";
    Answer api =
        client.post(
            "/api/v1/auth/personal/sign-in", "", signIn.formatted(known, LogInClient.PASSWORD));
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
                + LogInClient.encoded(LogInClient.PASSWORD));
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
    String name = client.somebody("forgiven");
    for (int i = 0; i < 3; i++) {
      client.send(client.page(), name, "wrong");
      client.send(client.page(), name, "wrong");
      assertThat(client.send(client.page(), name, LogInClient.PASSWORD).status()).isEqualTo(303);
    }
  }
}
