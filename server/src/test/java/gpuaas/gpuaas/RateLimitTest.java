package gpuaas.gpuaas;

import static gpuaas.gpuaas.Envelope.refused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.gpuaas.RawHttp.Raw;
import gpuaas.http.Dialect;
import gpuaas.http.Route;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S3: how many calls there may be, for each key and each tenant, and that every answer says so. */
@DisplayName("S3: limits on calls")
class RateLimitTest {

  private static final String ME = "/api/v1/me";
  private static final String LIMIT = "x-ratelimit-limit";
  private static final String REMAINING = "x-ratelimit-remaining";

  private static TestServer server;
  private static String admin;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200"));
    admin = server.token("dev-admin", "admin123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String person(String name) {
    server.running().admittance().identities().ensure(name, "a long password", false);
    return server.token(name, "a long password");
  }

  private static JsonNode me(String token) {
    return server.call("GET", ME, token, "").json();
  }

  private static void limit(String key, String whose, String id, int perMinute) {
    String path = "/api/v1/admin/policies/rate_limit." + key + "/" + whose + "/" + id;
    Answer set = server.call("PUT", path, admin, "{\"value\": " + perMinute + "}");
    assertThat(set.status()).as(set.body()).isEqualTo(200);
  }

  /** Somebody who may call so often in their project. */
  private static String limited(String name, int perMinute) {
    String token = person(name);
    limit("requests_per_minute", "projects", me(token).path("project_id").asText(), perMinute);
    return token;
  }

  private static int remaining(Answer answer) {
    return Integer.parseInt(answer.headers().get(REMAINING));
  }

  /** Calls until it is refused. */
  private static Answer exhaust(String token, int most) {
    Answer answer = server.call("GET", ME, token, "");
    for (int i = 0; answer.status() == 200 && i < 3 * most; i++) {
      answer = server.call("GET", ME, token, "");
    }
    return answer;
  }

  @Test
  void everyAnswerToSomebodyKnownSaysWhatIsLeft() {
    String token = limited("limit-all", 1000);
    String key = "{\"title\": \"t\", \"key\": \"no key\"}";
    for (Answer answer :
        List.of(
            server.call("GET", ME, token, ""),
            server.call("POST", "/api/v1/ssh-keys", token, key),
            server.call("POST", "/api/v1/allocations", token, "["),
            server.call("GET", "/api/v1/admin/policies", token, ""),
            server.call("GET", "/api/v1/allocations/none", token, ""))) {
      assertThat(answer.headers()).as(answer.body()).containsEntry(LIMIT, "1000");
      assertThat(remaining(answer)).isBetween(900, 999);
      assertThat(answer.headers()).doesNotContainKey("retry-after");
    }
    for (Answer answer :
        List.of(
            server.call("GET", ME, "nobody", ""),
            server.call("GET", "/healthz", "", ""),
            server.call("GET", "/nowhere", token, ""))) {
      assertThat(answer.headers()).as(answer.body()).doesNotContainKey(LIMIT);
    }
  }

  @Test
  void aReplayedAnswerSaysWhatIsLeftNow() {
    String token = limited("limit-replay", 50);
    String body = "{\"name\": \"replayed\"}";
    String[] once = {"X-Idempotency-Key", "replay-1"};
    Answer first = server.call("POST", "/api/v1/projects", token, body, once);
    for (int i = 0; i < 5; i++) {
      server.call("GET", ME, token, "");
    }
    Answer again = server.call("POST", "/api/v1/projects", token, body, once);
    assertThat(again.headers()).containsKey("idempotent-replayed");
    assertThat(again.headers()).containsEntry(LIMIT, "50");
    assertThat(remaining(again)).isLessThan(remaining(first));
    List<String> stored =
        server
            .running()
            .database()
            .read(tx ->
                tx.query(
                        "select to_jsonb(idempotency)::text from idempotency where key ="
                            + " 'replay-1'")
                    .mapTo(String.class)
                    .list());
    assertThat(stored).hasSize(1).noneMatch(headers -> headers.contains("RateLimit"));
  }

  @Test
  void whoComesTooOftenIsToldWhenToComeAgainAndItIsAudited() {
    String token = limited("limit-often", 6);
    Answer no = refused(exhaust(token, 6));
    assertThat(no.status()).isEqualTo(429);
    assertThat(no.json().path("code").asText()).isEqualTo("rate_limit_exceeded");
    assertThat(no.headers()).containsEntry(LIMIT, "6").containsEntry(REMAINING, "0");
    assertThat(Integer.parseInt(no.headers().get("retry-after"))).isBetween(1, 10);
    JsonNode trail =
        server.call("GET", "/api/v1/admin/audit-logs?action=rate_limit.block", admin, "").json();
    assertThat(trail.path("items").findValuesAsText("actor_name")).contains("limit-often");
    assertThat(server.call("GET", ME, person("limit-beside"), "").status()).isEqualTo(200);
  }

  @Test
  void changesHaveALimitOfTheirOwn() {
    String token = person("limit-mutations");
    limit("mutations_per_minute", "projects", me(token).path("project_id").asText(), 2);
    Answer answer = server.call("POST", "/api/v1/ssh-keys", token, "{}");
    assertThat(answer.headers()).as("the tightest").containsEntry(LIMIT, "2");
    for (int i = 0; i < 5; i++) {
      answer = server.call("POST", "/api/v1/ssh-keys", token, "{}");
    }
    assertThat(answer.status()).isEqualTo(429);
    Answer read = server.call("GET", ME, token, "");
    assertThat(read.status()).isEqualTo(200);
    int before = remaining(read);
    server.call("POST", "/api/v1/ssh-keys", token, "{}");
    Answer after = server.call("GET", ME, token, "");
    assertThat(remaining(after))
        .as("a refused call takes nothing")
        .isGreaterThanOrEqualTo(before - 1);
  }

  @Test
  void eachKeyHasItsOwnAndAllOfATenantShareOne() {
    String token = person("limit-tenant");
    JsonNode me = me(token);
    limit("requests_per_minute", "projects", me.path("project_id").asText(), 20);
    String key =
        server
            .call("POST", "/api/v1/api-keys", token, "{\"name\": \"k\"}")
            .json()
            .path("key")
            .asText();
    assertThat(exhaust(token, 20).status()).isEqualTo(429);
    Answer other = server.call("GET", ME, key, "");
    assertThat(other.status()).as("a key is by itself").isEqualTo(200);
    limit("tenant_requests_per_minute", "tenants", me.path("tenant_id").asText(), 5);
    assertThat(exhaust(key, 5).headers()).containsEntry(LIMIT, "5");
    Answer all = server.call("GET", ME, key, "");
    assertThat(all.status()).isEqualTo(429);
    assertThat(all.headers()).containsKey("retry-after");
  }

  @Test
  void theLoopOfTheDocumentWorksAsPrinted() throws Exception {
    String token = limited("limit-loop", 6);
    assertThat(exhaust(token, 6).status()).isEqualTo(429);
    String script =
        """
        sleep() { echo "waits $1" >&2; command sleep "$1"; }
        while true; do
          resp=$(curl -sw "\\n%{http_code}" "$URL" -H "Authorization: Bearer $TOKEN")
          body=$(echo "$resp" | head -n -1)
          code=$(echo "$resp" | tail -n 1)
          if [ "$code" = "429" ]; then
            delay=$(curl -sI "$URL" -H "Authorization: Bearer $TOKEN" | awk '/^Retry-After:/{print $2}' | tr -d '\\r')
            sleep "${delay:-5}"
          else
            echo "$body"
            break
          fi
        done
        """;
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", script);
    builder.environment().put("URL", server.apiUrl() + ME);
    builder.environment().put("TOKEN", token);
    Process loop = builder.start();
    String out = new String(loop.getInputStream().readAllBytes(), UTF_8);
    String waits = new String(loop.getErrorStream().readAllBytes(), UTF_8);
    assertThat(loop.waitFor()).isZero();
    assertThat(out).contains("limit-loop");
    assertThat(waits).as("at least once, as long as it was told").containsPattern("^waits [1-9]");
  }

  @Test
  void headSaysWhatGetSaysOnEveryListener() throws Exception {
    String token = server.token("dev-user", "dev123");
    String key = server.apiKey("full_access");
    int compared = 0;
    for (Dialect dialect : server.running().dialects()) {
      for (Route route : dialect.routes()) {
        if (!route.method().equals("GET") || route.path().contains("{") || isStream(route)) {
          continue;
        }
        String credential = Set.of("gpuaas-api", "idp").contains(dialect.name()) ? token : key;
        String url = url(dialect);
        String authorization = "Authorization: Bearer " + credential + "\r\n";
        Raw get = RawHttp.send(url, "GET " + route.path() + " HTTP/1.1", authorization, "");
        Raw head = RawHttp.send(url, "HEAD " + route.path() + " HTTP/1.1", authorization, "");
        String name = dialect.name() + " " + route.path() + head.all();
        assertThat(head.body()).as(name).isEmpty();
        if (dialect.answersHead()) {
          assertThat(head.status()).as(name).isEqualTo(get.status());
          assertThat(steady(head)).as(name).isEqualTo(steady(get));
        } else {
          assertThat(head.status()).as(name).isEqualTo(405);
        }
        compared++;
      }
    }
    assertThat(compared).isGreaterThan(30);
  }

  private static boolean isStream(Route route) {
    return route.path().endsWith("/export") || route.path().endsWith("/stream");
  }

  /** Headers that two requests in a row have in common. */
  private static Map<String, String> steady(Raw raw) {
    Map<String, String> headers = new TreeMap<>(raw.headers());
    headers.keySet().removeAll(Set.of("date", "x-correlation-id", "x-request-id", REMAINING));
    headers.computeIfPresent("content-length", (_, _) -> "some");
    return headers;
  }

  private static String url(Dialect dialect) {
    return switch (dialect.name()) {
      case "gpuaas-api" -> server.apiUrl();
      case "idp" -> server.idpUrl();
      case "gpudev" -> server.gpudevUrl();
      case "shopper" -> server.shopperUrl();
      default -> server.gpuaiUrl();
    };
  }

  @Test
  void headOfWhatIsRefusedSaysWhenToComeAgain() throws Exception {
    String token = limited("limit-head", 6);
    assertThat(exhaust(token, 6).status()).isEqualTo(429);
    Raw head =
        RawHttp.send(
            server.apiUrl(),
            "HEAD " + ME + " HTTP/1.1",
            "Authorization: Bearer " + token + "\r\n",
            "");
    assertThat(head.status()).isEqualTo(429);
    assertThat(head.body()).isEmpty();
    assertThat(head.all())
        .containsPattern("\r\nRetry-After: [1-9]")
        .contains("X-RateLimit-Limit: 6");
    for (String path : List.of("/api/v1/events/stream", "/api/v1/admin/audit-logs/export")) {
      Raw stream =
          RawHttp.send(
              server.apiUrl(),
              "HEAD " + path + " HTTP/1.1",
              "Authorization: Bearer " + admin + "\r\n",
              "");
      assertThat(stream.status()).as(path).isEqualTo(200);
      assertThat(stream.body()).as(path).isEmpty();
      assertThat(stream.headers()).as(path).containsKey(LIMIT);
    }
  }
}
