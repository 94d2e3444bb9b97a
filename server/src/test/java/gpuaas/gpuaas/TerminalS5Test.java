package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S5: which pages may open a terminal, and that it closes when what opened it is taken away. */
class TerminalS5Test {

  private static final String CONSOLE = "https://console.example.com";

  private static TestServer server;
  private static String token;
  private static String allocation;

  @BeforeAll
  static void start() throws Exception {
    // So seldom that what closes here closes because it is told, and not because it is looked at.
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
                "GPUAAS_SSH_RECHECK_EVERY", "1h",
                "GPUAAS_IDP_REDIRECT_URIS", CONSOLE + "/logged-in",
                "GPUAAS_RATE_LIMIT_TERMINAL_TOKEN_REQUESTS_PER_MINUTE", "1000"));
    token = server.token("dev-user", "dev123");
    allocation =
        done(
                201,
                server.call(
                    "POST",
                    "/api/v1/allocations",
                    token,
                    "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\":"
                        + " \"us-buffalo-1\"}"))
            .path("id")
            .asText();
    server.awaitStatus(token, allocation, "active");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode done(int status, Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    return answer.json();
  }

  private static String mint(String as) {
    String path = "/api/v1/allocations/" + allocation + "/terminal-token";
    return done(201, server.call("POST", path, as, "")).path("token").asText();
  }

  private static String url() {
    return server.apiUrl().replace("http", "ws") + "/ws/terminal/" + allocation;
  }

  private static TerminalClient from(String origin, String once) {
    return TerminalClient.openWith(
        url(), Map.of("Origin", origin, "Authorization", "Bearer " + once));
  }

  private static TerminalClient opened(String as) {
    TerminalClient terminal = TerminalClient.open(url(), mint(as));
    terminal.type("echo $((40+2))in\r");
    terminal.until("42in");
    return terminal;
  }

  @Test
  @DisplayName("S5: only pages of a matching origin open terminals")
  void onlyPagesOfAMatchingOrigin() {
    String once = mint(token);
    for (String foreign :
        new String[] {
          "https://evil.example.com", "null", CONSOLE + ".evil.com", "http://localhost"
        }) {
      try (TerminalClient terminal = from(foreign, once)) {
        assertThat(terminal.closed()).as(foreign).isEqualTo(4403);
      }
    }
    try (TerminalClient own = from(server.apiUrl(), once)) {
      own.type("echo $((3*3))own\r");
      own.until("9own"); // the token was not even looked at before
    }
    try (TerminalClient console = from(CONSOLE, mint(token))) {
      console.type("echo $((4*4))console\r");
      console.until("16console");
    }
  }

  @Test
  @DisplayName("S5: logging out closes the terminals of that session, and no others")
  void loggingOutClosesItsTerminals() {
    String leaving = server.token("dev-user", "dev123");
    try (TerminalClient theirs = opened(leaving);
        TerminalClient another = opened(token)) {
      assertThat(server.call("POST", "/api/v1/auth/logout", leaving, "").status()).isEqualTo(204);
      assertThat(theirs.closed()).isEqualTo(1000);
      another.type("echo still $((1+1))\r");
      another.until("still 2");
    }
  }

  @Test
  @DisplayName("S5: a token that was got before its session ended opens nothing after")
  void aTokenEndsWithItsSession() {
    String leaving = server.token("dev-user", "dev123");
    String once = mint(leaving);
    server.call("POST", "/api/v1/auth/logout", leaving, "");
    try (TerminalClient late = TerminalClient.open(url(), once)) {
      assertThat(late.closed()).isEqualTo(4401);
    }
  }

  @Test
  @DisplayName("S5: a session that its owner ends elsewhere closes its terminals")
  void anEndedSessionClosesItsTerminals() {
    String lost = server.token("dev-user", "dev123");
    String session = "";
    for (JsonNode one :
        server.call("GET", "/api/v1/auth/sessions", lost, "").json().path("items")) {
      session = one.path("current").asBoolean() ? one.path("id").asText() : session;
    }
    try (TerminalClient theirs = opened(lost)) {
      String path = "/api/v1/auth/sessions/" + session;
      assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(204);
      assertThat(theirs.closed()).isEqualTo(1000);
    }
  }

  @Test
  @DisplayName("S5: a revoked API key closes the terminals that it opened")
  void aRevokedKeyClosesItsTerminals() {
    JsonNode key = done(201, server.call("POST", "/api/v1/api-keys", token, "{\"name\": \"t\"}"));
    try (TerminalClient theirs = opened(key.path("key").asText())) {
      String path = "/api/v1/api-keys/" + key.path("id").asText();
      assertThat(server.call("DELETE", path, token, "").status()).isEqualTo(204);
      assertThat(theirs.closed()).isEqualTo(1000);
    }
  }

  @Test
  @DisplayName("S5: a service account's revoked key closes the terminals that it opened")
  void aRevokedAccountKeyClosesItsTerminals() {
    String project = server.call("GET", "/api/v1/me", token, "").json().path("project_id").asText();
    String path = "/api/v1/projects/" + project + "/service-accounts";
    String body = "{\"name\": \"terminal\", \"role\": \"admin\", \"algorithm\": \"client_secret\"}";
    JsonNode made = done(201, server.call("POST", path, token, body));
    String account = made.path("sa_id").asText();
    String key = made.path("key_id").asText();
    String proof =
        "{\"sa_id\": \"%s\", \"key_id\": \"%s\", \"client_secret\": \"%s\"}"
            .formatted(account, key, made.path("client_secret").asText());
    String access =
        done(200, server.call("POST", "/api/v1/auth/sa/token", "", proof))
            .path("access_token")
            .asText();
    try (TerminalClient theirs = opened(access)) {
      String keyPath = path + "/" + account + "/keys/" + key;
      assertThat(server.call("DELETE", keyPath, token, "").status()).isEqualTo(204);
      assertThat(theirs.closed()).isEqualTo(1000);
    }
  }
}
