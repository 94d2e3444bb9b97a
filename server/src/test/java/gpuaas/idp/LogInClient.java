package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.session.LogInCodes;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Logs in step by step, as a browser and a client would, so that each step can be spoilt. */
final class LogInClient {

  static final String REDIRECT = "http://127.0.0.1:45678/callback";
  static final String VERIFIER = "a-verifier-of-a-test-that-is-long-enough-0123456789";

  static final String PASSWORD = "a long enough word";

  private final TestServer server;

  /**
   * A server of which few wrong passwords are too many, and which knows one address beside
   * loopback.
   */
  static TestServer server() throws IOException {
    return TestServer.start(
        Map.of(
            "GPUAAS_PROVIDER_LOCAL_GPUS",
            "1xH200",
            "GPUAAS_IDP_PORT",
            freePort(),
            "GPUAAS_IDP_WRONG_PASSWORDS_MOST",
            "3",
            "GPUAAS_IDP_REDIRECT_URIS",
            "https://portal.example.com/callback"));
  }

  /** Makes somebody with the password of these tests; their name. */
  String somebody(String name) {
    server.running().admittance().identities().ensure(name, PASSWORD, false);
    return name;
  }

  /** Nobody is let in, and nothing is given away. */
  static void isRefused(Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(401);
    assertThat(answer.json().path("code").asText()).isEqualTo("token_invalid");
    assertThat(answer.body()).doesNotContain("access_token");
  }

  LogInClient(TestServer server) {
    this.server = server;
  }

  /** A free port for the provider: its address is in tokens and must be known before it listens. */
  static String freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return Integer.toString(socket.getLocalPort());
    }
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  /** The page as it was shown: where its form goes, its hidden word, its cookie. */
  record Page(Answer answer, String action, String token, String cookie) {}

  private static final Pattern ACTION =
      Pattern.compile("<form method=\"post\" action=\"([^\"]+)\"");
  private static final Pattern TOKEN = Pattern.compile("name=\"token\" value=\"([^\"]+)\"");

  JsonNode authorize() {
    Answer answer =
        server.call(
            "GET",
            "/api/v1/auth/oidc/authorize?redirect_uri="
                + encoded(REDIRECT)
                + "&code_challenge="
                + LogInCodes.challenge(VERIFIER)
                + "&method=S256",
            "",
            "");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  Page page() {
    return page(authorize().path("authorize_url").asText());
  }

  Page page(String url) {
    Answer answer = TestServer.send("GET", url, Map.of(), "");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return new Page(
        answer,
        found(ACTION, answer.body()).replace("&amp;", "&"),
        found(TOKEN, answer.body()),
        answer.headers().get("set-cookie").split(";", 2)[0]);
  }

  private static String found(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertThat(matcher.find()).as(text).isTrue();
    return matcher.group(1);
  }

  Answer send(Page page, String name, String password, String... headers) {
    Map<String, String> all = new HashMap<>();
    all.put("Content-Type", "application/x-www-form-urlencoded");
    all.put("Cookie", page.cookie());
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return TestServer.send(
        "POST",
        server.idpUrl() + page.action(),
        all,
        "token=" + page.token() + "&username=" + encoded(name) + "&password=" + encoded(password));
  }

  /** A code for somebody. */
  String code(String name, String password) {
    Answer answer = send(page(), name, password);
    assertThat(answer.status()).as(answer.body()).isEqualTo(303);
    return query(answer.headers().get("location")).get("code");
  }

  static Map<String, String> query(String url) {
    Map<String, String> query = new HashMap<>();
    for (String pair : URI.create(url).getRawQuery().split("&")) {
      String[] parts = pair.split("=", 2);
      query.put(parts[0], URLDecoder.decode(parts[1], UTF_8));
    }
    return query;
  }

  Answer exchange(String code, String verifier, String redirectUri) {
    return post(
        "/api/v1/auth/oidc/exchange",
        "",
        "{\"code\": \"%s\", \"verifier\": \"%s\", \"redirect_uri\": \"%s\"}"
            .formatted(code, verifier, redirectUri));
  }

  JsonNode logIn(String name, String password) {
    Answer answer = exchange(code(name, password), VERIFIER, REDIRECT);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  Answer refresh(String token) {
    return post("/api/v1/auth/token/refresh", "", "{\"refresh_token\": \"" + token + "\"}");
  }

  Answer post(String path, String token, String body) {
    return server.call("POST", path, token, body, "Content-Type", "application/json");
  }

  int me(String token) {
    return server.call("GET", "/api/v1/me", token, "").status();
  }
}
