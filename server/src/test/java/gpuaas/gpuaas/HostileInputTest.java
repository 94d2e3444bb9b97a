package gpuaas.gpuaas;

import static gpuaas.gpuaas.Envelope.refused;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.gpuaas.RawHttp.Raw;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is sent, the answer is the envelope with a right status; nothing of our inside shows,
 * and nothing is left behind.
 */
class HostileInputTest {

  private static final String PATH = "/api/v1/allocations";
  private static final String GOOD =
      """
      {"sku": "h200-sxm-slice", "gpus_total": 1, "region_code": "us-buffalo-1", "ssh_key_ids": []}\
      """;

  private static TestServer server;
  private static String token;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void nothingIsLeftBehind() {
    for (String table : List.of("lease", "gpu_claim", "work", "idempotency", "event")) {
      int rows =
          server
              .running()
              .database()
              .read(tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
      assertThat(rows).as(table).isZero();
    }
  }

  private static Raw raw(String startLine, String headers, String body) throws Exception {
    return RawHttp.send(
        server.apiUrl(), startLine, "Authorization: Bearer " + token + "\r\n" + headers, body);
  }

  // --- lengths ---

  @Test
  void bodiesHaveALength() throws Exception {
    String large = GOOD + " ".repeat(2 << 20);
    Raw counted =
        refused(
            raw("POST " + PATH + " HTTP/1.1", "Content-Length: " + large.length() + "\r\n", large));
    assertThat(counted.status()).isEqualTo(413);
    String chunk = "8000\r\n" + " ".repeat(0x8000) + "\r\n";
    Raw chunked =
        refused(
            raw(
                "POST " + PATH + " HTTP/1.1",
                "Transfer-Encoding: chunked\r\n",
                chunk.repeat(64) + "0\r\n\r\n"));
    assertThat(chunked.status()).isEqualTo(413);
    Raw lie = refused(raw("POST " + PATH + " HTTP/1.1", "Content-Length: -5\r\n", GOOD));
    assertThat(lie.status()).isEqualTo(400);
    Raw both =
        refused(
            raw(
                "POST " + PATH + " HTTP/1.1",
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n"));
    assertThat(both.status()).isEqualTo(400);
    Raw badChunk =
        refused(
            raw("POST " + PATH + " HTTP/1.1", "Transfer-Encoding: chunked\r\n", "zz\r\n" + GOOD));
    assertThat(badChunk.status()).isEqualTo(400);
  }

  @Test
  void headersHaveALength() throws Exception {
    Raw some = raw("GET /api/v1/me HTTP/1.1", "X-Long: " + "x".repeat(10_000) + "\r\n", "");
    assertThat(some.status()).isEqualTo(200);
    Raw many =
        refused(raw("GET /api/v1/me HTTP/1.1", "X-Long: " + "x".repeat(100_000) + "\r\n", ""));
    assertThat(many.status()).isEqualTo(431);
    Raw path = refused(raw("GET /api/v1/" + "x".repeat(100_000) + " HTTP/1.1", "", ""));
    assertThat(path.status()).isIn(414, 431);
  }

  @ParameterizedTest
  @ValueSource(strings = {"two words", "<script>", "ä", "${jndi:ldap://x}"})
  void aCorrelationIdThatIsUnfitForLogsIsRefused(String id) throws Exception {
    Raw answer = refused(raw("GET /api/v1/me HTTP/1.1", "X-Correlation-Id: " + id + "\r\n", ""));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.headers().get("x-correlation-id")).isNotEqualTo(id);
  }

  @Test
  void aCorrelationIdIsEchoedAlsoInErrors() throws Exception {
    for (String line : List.of("GET /nowhere HTTP/1.1", "PUT /api/v1/me HTTP/1.1")) {
      Raw answer = refused(raw(line, "X-Correlation-Id: trace-7\r\n", ""));
      assertThat(answer.json().path("correlation_id").asText()).as(line).isEqualTo("trace-7");
    }
  }

  // --- paths and methods ---

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/../../../etc/passwd",
        "/api/v1/allocations%2F..%2F..",
        "/api%2Fv1%2Fme",
        "//api//v1/me",
        "/api/v1//me",
        "/api/v1/me;x=y/..",
        "/api/v1/allocations/%00",
        "/api/v1/me%00",
        "/api/v1/me%zz",
        "/api/v1/me%",
        "/api/v1/%c0%ae%c0%ae/me",
        "/api/v1/allocations/..;/me",
        "/API/V1/ME",
        "/api/v1/mee",
        "/api/v1",
        "/api",
        "/",
        "/api/v1/allocations/{id}",
        "/api/v1/allocations/1-1-1-1-1",
        "/api/v1/allocations/not-an-id",
        "/api/v1/allocations/00000000-0000-0000-0000-000000000000/nothing",
        "/realms/gpuaas/protocol/openid-connect/certs",
        "/webjars/x",
        "/ws/terminal/00000000-0000-0000-0000-000000000000",
        "/ws/nothing",
        "/WEB-INF/web.xml",
        "*",
        "http://other.example/etc/passwd",
      })
  void aPathIsThereOrIsNot(String path) throws Exception {
    Raw answer = refused(raw("GET " + path + " HTTP/1.1", "", ""));
    assertThat(answer.status()).as(answer.all()).isIn(400, 404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/v1/me;x=y",
        "/api/v1/me/",
        "/api/v1/./me",
        "/api/v1/me?a=%zz",
        "/api/v1/me?a&b==&=",
        "/api/v1/me#x"
      })
  void oddPathsAreAnsweredWithoutHarm(String path) throws Exception {
    Raw answer = raw("GET " + path + " HTTP/1.1", "", "");
    assertThat(answer.status()).as(answer.all()).isIn(200, 400, 404);
    if (answer.status() != 200) {
      refused(answer);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PUT, /api/v1/allocations, GET POST",
    "DELETE, /api/v1/me, GET",
    "PATCH, /api/v1/allocations/00000000-0000-0000-0000-000000000000, GET",
    "GET, /api/v1/allocations/00000000-0000-0000-0000-000000000000/release, POST",
    "OPTIONS, /api/v1/catalog, GET",
    "TRACE, /api/v1/me, GET",
    "BREW, /api/v1/me, GET",
    "get, /api/v1/me, GET",
  })
  void theWrongMethodIsToldTheRightOnes(String method, String path, String allowed)
      throws Exception {
    Raw answer = refused(raw(method + " " + path + " HTTP/1.1", "", ""));
    assertThat(answer.status()).as(answer.all()).isEqualTo(405);
    assertThat(answer.headers().get("allow").split(", *")).contains(allowed.split(" "));
  }

  @ParameterizedTest
  @ValueSource(strings = {"%00", "..", "%20", "x'--", "%ed%a0%80", "a%0d%0ab", "%f0%9f%98%80"})
  void aChangeOfSomethingOddlyNamedIsNotFound(String id) throws Exception {
    Raw answer =
        refused(
            raw(
                "POST " + PATH + "/" + id + "/release HTTP/1.1",
                "X-Idempotency-Key: odd\r\nContent-Length: 0\r\n",
                ""));
    assertThat(answer.status()).as(answer.all()).isIn(400, 404, 405);
  }

  @Test
  void headIsAnsweredWithoutABody() throws Exception {
    Raw answer = raw("HEAD /api/v1/catalog HTTP/1.1", "", "");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    assertThat(answer.headers()).containsKey("x-correlation-id");
    assertThat(raw("HEAD /nowhere HTTP/1.1", "", "").status()).isEqualTo(404);
  }

  @Test
  void theRealmIsOurs() {
    Answer answer =
        TestServer.send(
            "POST",
            server.idpUrl() + "/realms/master/protocol/openid-connect/token",
            Map.of(),
            "grant_type=password");
    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.json().path("error").asText()).isEqualTo("not_found");
  }

  // --- what is hardly HTTP ---

  @Test
  void oldHttpIsAnswered() throws Exception {
    Raw answer =
        RawHttp.bytes(
            server.apiUrl(),
            RawHttp.latin(
                "GET /api/v1/me HTTP/1.0\r\nAuthorization: Bearer " + token + "\r\n\r\n"));
    assertThat(answer.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "garbage\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n",
        "GET /api/v1/me HTTP/9.9\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: local host\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      })
  void garbageIsToldSo(String bytes) throws Exception {
    Raw answer = refused(RawHttp.bytes(server.apiUrl(), RawHttp.latin(bytes)));
    assertThat(answer.status()).as(answer.all()).isIn(400, 505);
  }

  @Test
  void pagesHaveBounds() {
    for (String query :
        List.of(
            "page_size=0",
            "page_size=201",
            "page_size=x",
            "page_size=1e1",
            "cursor=x",
            "status=x",
            "status=")) {
      Answer answer = refused(server.call("GET", PATH + "?" + query, token, ""));
      assertThat(answer.status()).as(query).isEqualTo(400);
    }
    Answer unknown = refused(server.call("GET", PATH + "?cursor=" + new UUID(1, 2), token, ""));
    assertThat(unknown.status()).isIn(400, 404);
  }

  @Test
  void socketsAreOpenedWhereTheyAreAndNowhereElse() throws Exception {
    String upgrade =
        "Upgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n";
    String head = "Host: localhost\r\nConnection: Upgrade\r\n" + upgrade + "\r\n";
    for (String path : List.of("/api/v1/me", "/ws/nothing", "/")) {
      Raw answer =
          RawHttp.firstAnswer(
              server.apiUrl(), RawHttp.latin("GET " + path + " HTTP/1.1\r\n" + head));
      assertThat(answer.status()).as(answer.all()).isBetween(400, 404);
    }
    String terminal = "/ws/terminal/00000000-0000-0000-0000-000000000000";
    Raw old =
        RawHttp.firstAnswer(
            server.apiUrl(),
            RawHttp.latin("GET " + terminal + " HTTP/1.1\r\n" + head.replace(": 13", ": 3")));
    assertThat(old.status()).as(old.all()).isBetween(400, 426);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ssh-rsa AAAA", "not a key", "-----BEGIN OPENSSH PRIVATE KEY-----"})
  void onlyPublicKeysAreRegistered(String key) {
    Answer answer =
        refused(
            server.call(
                "POST", "/api/v1/ssh-keys", token, "{\"title\": \"t\", \"key\": \"" + key + "\"}"));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().path("details").has("key")).isTrue();
  }
}
