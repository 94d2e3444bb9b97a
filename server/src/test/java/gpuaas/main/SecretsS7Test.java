package gpuaas.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * S7: secrets of every kind are made and used, rightly and wrongly. Afterwards none of them is in a
 * log line, in a row of the database, in a file of the data folder, or in an answer that comes
 * after the one that made it.
 */
class SecretsS7Test {

  private static final String PASSWORD = "planted-password-of-somebody";
  private static final String MARKET_KEY = "planted-market-key-0123456789";
  private static final String SHOPPER_KEY = "planted-shopper-key-0123456789";
  private static final String CLIENT_SECRET = "dev-client-secret";
  private static final String PROJECT = "/api/v1/projects/";

  /** Everything that is logged, in words. */
  private static final class Written extends AppenderBase<ILoggingEvent> {
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();

    @Override
    protected void append(ILoggingEvent event) {
      String trouble =
          event.getThrowableProxy() == null
              ? ""
              : ThrowableProxyUtil.asString(event.getThrowableProxy());
      lines.add(event.getFormattedMessage() + " " + event.getMDCPropertyMap() + " " + trouble);
    }
  }

  private final Map<String, String> secrets = new LinkedHashMap<>();
  private TestServer server;
  private String token;

  @Test
  @DisplayName("S7: secrets are shown once, and are in no log, no row, no file and no later answer")
  void secretsAreNowhere() throws Exception {
    Written written = new Written();
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    Logger ours = (Logger) LoggerFactory.getLogger("gpuaas");
    Level before = ours.getLevel();
    written.setContext(root.getLoggerContext());
    written.start();
    root.addAppender(written);
    ours.setLevel(Level.TRACE);
    try (TestServer started = start()) {
      server = started;
      useAll();
      useWrongly();
      token = server.token("planted", PASSWORD); // a refresh token that came twice ended all
      assertThat(written.lines).as("something was logged").hasSizeGreaterThan(20);
      assertThat(secrets).hasSize(17);
      List<String> found = new ArrayList<>();
      secrets.forEach((name, secret) -> {
        assertThat(secret).as(name).hasSizeGreaterThan(12);
        written.lines.stream()
            .filter(line -> line.contains(secret))
            .forEach(line -> found.add(name + " is in the log: " + line));
        inRows(secret).forEach(table -> found.add(name + " is in a row of " + table));
        inFiles(secret).forEach(file -> found.add(name + " is in " + file));
        inLaterAnswers(secret).forEach(path -> found.add(name + " is told again by " + path));
      });
      assertThat(found).isEmpty();
    } finally {
      root.detachAppender(written);
      ours.setLevel(before);
    }
  }

  private static TestServer start() throws IOException {
    return TestServer.start(
        Map.of(
            "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
            "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
            "GPUAAS_PROVIDER_VASTAI_BASE_URL", "http://127.0.0.1:1025",
            "GPUAAS_PROVIDER_VASTAI_API_KEY", MARKET_KEY,
            "GPUAAS_PROVIDER_VASTAI_TYPE", "vastai",
            "GPUAAS_SHOPPER_KEY", SHOPPER_KEY,
            "GPUAAS_WEBHOOK_ALLOW_PRIVATE", "true"));
  }

  private JsonNode done(Answer answer) {
    assertThat(answer.status()).as(answer.body()).isBetween(200, 204);
    return answer.json();
  }

  private JsonNode post(String path, String body) {
    return done(server.call("POST", path, token, body, "X-Idempotency-Key", "s7" + secrets.size()));
  }

  private void keep(String name, String secret) {
    assertThat(secrets.put(name, secret)).isNull();
  }

  private String project() {
    return done(server.call("GET", "/api/v1/me", token, "")).path("project_id").asText();
  }

  /** Makes each kind, and uses it as it is meant. */
  private void useAll() {
    server.running().admittance().identities().ensure("planted", PASSWORD, false);
    keep("password", PASSWORD);
    keep("market key", MARKET_KEY);
    keep("shopper key", SHOPPER_KEY);
    keep("client secret", CLIENT_SECRET);
    String form =
        "grant_type=password&client_id=gpuaas-api&client_secret=%s&username=planted&password=%s"
            .formatted(CLIENT_SECRET, PASSWORD);
    String tokens = server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token";
    JsonNode grant = done(TestServer.send("POST", tokens, Map.of(), form));
    token = grant.path("access_token").asText();
    keep("access token", signature(token));
    keep("refresh token", grant.path("refresh_token").asText());
    JsonNode next =
        done(
            server.call(
                "POST",
                "/api/v1/auth/token/refresh",
                "",
                "{\"refresh_token\": \"" + secrets.get("refresh token") + "\"}"));
    keep("next refresh token", next.path("refresh_token").asText());
    keep("next access token", signature(next.path("access_token").asText()));
    keys();
    accounts();
    keep(
        "invitation",
        post(PROJECT + project() + "/invitations", "{\"role\": \"viewer\"}")
            .path("token")
            .asText());
    keep(
        "webhook secret",
        post(
                "/api/v1/webhook-endpoints",
                "{\"url\": \"http://127.0.0.1:1025/\", \"event_types\": [\"lease.running\"]}")
            .path("secret")
            .asText());
    terminal();
  }

  private static String signature(String jwt) {
    return jwt.substring(jwt.lastIndexOf('.') + 1);
  }

  private void keys() {
    JsonNode key = post("/api/v1/api-keys", "{\"name\": \"planted\"}");
    keep("API key", key.path("key").asText());
    JsonNode rotated = post("/api/v1/api-keys/" + key.path("id").asText() + "/rotate", "");
    keep("rotated API key", rotated.path("key").asText());
    for (String one : List.of("API key", "rotated API key")) {
      assertThat(secrets.get(one)).as("scanners know it").startsWith("gpuai_live_");
      done(server.call("GET", "/api/v1/me", secrets.get(one), ""));
    }
    JsonNode old =
        done(server.call("GET", "/api/v1/api-keys/" + key.path("id").asText(), token, ""));
    assertThat(old.path("last_used_at").isNull()).as("when it was used").isFalse();
    assertThat(old.path("expires_at").isNull()).as("the old one ends after an overlap").isFalse();
    JsonNode login =
        done(
            TestServer.send(
                "POST",
                server.gpudevUrl() + "/v1/keys/rotate",
                Map.of("Authorization", "Bearer " + secrets.get("API key")),
                ""));
    keep("GPU Dev key", login.path("api_key").asText());
  }

  private void accounts() {
    String path = PROJECT + project() + "/service-accounts";
    JsonNode made = post(path, "{\"name\": \"s\", \"algorithm\": \"client_secret\"}");
    keep("account secret", made.path("client_secret").asText());
    JsonNode pair = post(path, "{\"name\": \"p\", \"algorithm\": \"ES256\"}");
    keep("account private key", pair.path("private_key_pem").asText().split("\n")[1]);
    JsonNode access =
        done(
            server.call(
                "POST",
                "/api/v1/auth/sa/token",
                "",
                "{\"sa_id\": \"%s\", \"key_id\": \"%s\", \"client_secret\": \"%s\"}"
                    .formatted(
                        made.path("sa_id").asText(),
                        made.path("key_id").asText(),
                        secrets.get("account secret"))));
    keep("account token", signature(access.path("access_token").asText()));
  }

  private void terminal() {
    String wanted =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\"}";
    String id = post("/api/v1/allocations", wanted).path("id").asText();
    server.awaitStatus(token, id, "active");
    JsonNode minted = post("/api/v1/allocations/" + id + "/terminal-token", "");
    keep("terminal token", minted.path("token").asText());
    assertThat(minted.path("ws_url").asText()).doesNotContain(secrets.get("terminal token"));
  }

  /** Shows each where it opens nothing, for refusals are logged as well. */
  private void useWrongly() {
    secrets.forEach((name, secret) -> {
      for (String base :
          List.of(server.apiUrl() + "/api/v1/me", server.gpuaiUrl() + "/v1/instances")) {
        TestServer.send("GET", base, Map.of("Authorization", "Bearer " + secret), "");
      }
      server.call(
          "POST", "/api/v1/auth/token/refresh", "", "{\"refresh_token\": \"" + secret + "\"}");
      server.call(
          "POST",
          "/api/v1/auth/personal/sign-in",
          "",
          "{\"username\": \"nobody\", \"password\": \"" + secret + "\"}");
      server.call("POST", "/api/v1/invitations/accept", token, "{\"token\": \"" + secret + "x\"}");
    });
    Eventually.within(
        Duration.ofSeconds(20),
        "the market was asked, with its key",
        () -> server.running().providers().names().contains("vastai"));
  }

  private List<String> inRows(String secret) {
    String hex = HexFormat.of().formatHex(secret.getBytes(UTF_8));
    return server
        .running()
        .database()
        .read(tx ->
            tx
                .query("select tablename from pg_tables where schemaname = 'public'")
                .mapTo(String.class)
                .list()
                .stream()
                .filter(table ->
                    tx.query(
                            "select exists (select from \""
                                + table
                                + "\" t where position(:text in t::text) > 0 or position(:hex in"
                                + " t::text) > 0)")
                        .bind("text", secret)
                        .bind("hex", hex)
                        .mapTo(Boolean.class)
                        .one())
                .toList());
  }

  private List<String> inFiles(String secret) {
    try (Stream<Path> files = Files.walk(server.data())) {
      return files
          .filter(file -> !file.startsWith(server.data().resolve("images")))
          .filter(Files::isRegularFile)
          .filter(file -> contains(file, secret))
          .map(Path::toString)
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean contains(Path file, String secret) {
    try {
      return Files.size(file) < 1 << 20
          && new String(Files.readAllBytes(file), UTF_8).contains(secret);
    } catch (IOException e) {
      return false; // it went meanwhile
    }
  }

  private List<String> inLaterAnswers(String secret) {
    return Stream.of(
            "/api/v1/api-keys",
            PROJECT + project() + "/service-accounts",
            PROJECT + project() + "/invitations",
            "/api/v1/webhook-endpoints",
            "/api/v1/auth/sessions",
            "/api/v1/me")
        .filter(path -> server.call("GET", path, token, "").body().contains(secret))
        .toList();
  }
}
