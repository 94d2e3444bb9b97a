package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What goes over the wire for requests that are no good, and for the smallest that are. */
class ShopperWireTest {

  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer send(String method, String path, String body, String... headers) {
    Map<String, String> all = new java.util.HashMap<>();
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    Answer answer = TestServer.send(method, server.shopperUrl() + path, all, body);
    ShopperContract.check(method, path, answer);
    return answer;
  }

  private static void refused(Answer answer, int status, String text) {
    assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
    assertThat(answer.json().path("error").asText()).contains(text);
    assertThat(answer.json().path("request_id").asText())
        .isEqualTo(answer.headers().get("x-request-id"));
    assertThat(answer.headers().get("content-type"))
        .isEqualToIgnoringWhitespace("application/json; charset=utf-8");
  }

  private static String session(String field, String value) {
    String all =
        "{\"consumer_id\": \"c\", \"offer_id\": \"o\", \"workload_type\": \"llm\","
            + " \"reservation_hours\": 2}";
    return all.replaceFirst("\\}$", ", \"" + field + "\": " + value + "}")
        .replaceFirst("\"" + field + "\": (\"[^\"]*\"|[0-9]+), (?=.*\"" + field + "\")", "");
  }

  @Test
  void theRoutesAreThoseOfTheContract() {
    assertThat(ShopperContract.operations())
        .isEqualTo(ShopperContract.operations(server.running().sessions().routes()));
  }

  @Test
  void parametersThatAreNotTrueOrFalse() {
    refused(
        send("GET", "/api/v1/templates?recommended=maybe", ""),
        400,
        "strconv.ParseBool: parsing \"maybe\": invalid syntax");
  }

  @Test
  void leasesOfOtherApisAreSessionsToo() {
    // Shows that a lease is the same in all dialects: an allocation can be seen and ended here.
    String token = server.token("dev-user", "dev123");
    String key =
        server
            .call(
                "POST",
                "/api/v1/ssh-keys",
                token,
                "{\"title\": \"k\", \"key\": \"" + KeyPairs.make("k").publicKey().line() + "\"}")
            .json()
            .path("id")
            .asText();
    String id =
        server
            .call(
                "POST",
                "/api/v1/allocations",
                token,
                "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\":"
                    + " \"us-buffalo-1\", \"ssh_key_ids\": [\""
                    + key
                    + "\"]}")
            .json()
            .path("id")
            .asText();
    JsonNode session = send("GET", "/api/v1/sessions/" + id, "").json();
    assertThat(session.path("gpu_type").asText()).isEqualTo("H200");
    assertThat(session.path("workload_type").asText()).isEqualTo("ssh");
    refused(
        send("POST", "/api/v1/sessions/" + id + "/extend", "{\"additional_hours\": 1}"),
        400,
        "no end to extend");
    assertThat(send("DELETE", "/api/v1/sessions/" + id, "").status()).isEqualTo(200);
    assertThat(
            server
                .call("GET", "/api/v1/allocations/" + id, token, "")
                .json()
                .path("status")
                .asText())
        .isEqualTo("released");
  }

  @Test
  void healthAndReadiness() {
    JsonNode health = send("GET", "/health", "").json();
    assertThat(health.path("status").asText()).isEqualTo("ok");
    assertThat(health.at("/services/lifecycle").asText()).isEqualTo("running");
    assertThat(health.at("/services/inventory").asText()).isEqualTo("ok");
    assertThat(health.at("/services/ready").asText()).isEqualTo("true");
    assertThat(health.path("timestamp").asText()).endsWith("Z");
    assertThat(send("GET", "/ready", "").json().path("ready").asBoolean()).isTrue();
    assertThat(send("GET", "/metrics", "").body()).contains("# TYPE");
  }

  @Test
  void pathsThatThereAreNot() {
    // Plain text, and never 405; the request id is there all the same.
    for (String path : List.of("/api/v1/nothing", "/nothing", "/api/v1/sessions/a/b/c")) {
      Answer answer = send("GET", path, "", "X-Request-ID", "mine-1");
      assertThat(answer.status()).isEqualTo(404);
      assertThat(answer.body()).isEqualTo("404 page not found");
      assertThat(answer.headers().get("content-type")).startsWith("text/plain");
      assertThat(answer.headers().get("x-request-id")).isEqualTo("mine-1");
    }
    assertThat(send("PUT", "/api/v1/sessions", "{}").status()).isEqualTo(404);
    assertThat(send("GET", "/health", "", "X-Request-ID", "bad id").headers().get("x-request-id"))
        .matches("[0-9a-f-]{36}");
  }

  @Test
  void filtersOfTheList() {
    Map<String, String> wrong =
        Map.ofEntries(
            Map.entry("provider=none", "provider not found: none"),
            Map.entry("min_vram=abc", "invalid min_vram: must be a valid integer, got \"abc\""),
            Map.entry("min_vram=-1", "invalid min_vram: must be non-negative, got -1"),
            Map.entry("max_price=x", "invalid max_price: must be a valid number, got \"x\""),
            Map.entry("max_price=-1", "invalid max_price: must be non-negative, got -1"),
            Map.entry("gpu_count=-2", "invalid gpu_count: must be non-negative, got -2"),
            Map.entry("min_gpu_count=x", "invalid min_gpu_count: must be a valid integer"),
            Map.entry(
                "min_reliability=1.5", "invalid min_reliability: must be between 0 and 1, got 1.5"),
            Map.entry(
                "min_availability_confidence=-1",
                "invalid min_availability_confidence: must be between 0 and 1, got -1"),
            Map.entry("min_cuda=x", "invalid min_cuda: must be a valid number, got \"x\""),
            Map.entry("limit=0", "invalid limit: must be positive, got 0"),
            Map.entry("limit=x", "invalid limit: must be a valid integer, got \"x\""),
            Map.entry("offset=-1", "invalid offset: must be non-negative, got -1"),
            Map.entry("template_hash_id=t", "template filtering requires Vast.ai provider"));
    wrong.forEach(
        (query, text) -> refused(send("GET", "/api/v1/inventory?" + query, ""), 400, text));
    JsonNode all = send("GET", "/api/v1/inventory?limit=&offset=&provider=&max_price=0", "").json();
    assertThat(all.path("count").asInt()).isPositive();
    JsonNode beyond = send("GET", "/api/v1/inventory?offset=100000", "").json();
    assertThat(beyond.path("offers").isArray()).isTrue();
    assertThat(beyond.path("count").asInt()).isZero();
    assertThat(beyond.path("total").asInt()).isEqualTo(all.path("total").asInt());
    JsonNode offer = all.path("offers").path(0);
    for (String number :
        List.of("gpu_count", "vram_gb", "price_per_hour", "max_duration_hours", "reliability")) {
      assertThat(offer.path(number).isNumber()).as(number).isTrue();
    }
    assertThat(offer.path("available").asBoolean()).isTrue();
    assertThat(offer.has("interruptible")).isFalse();
    String id = offer.path("id").asText();
    assertThat(send("GET", "/api/v1/inventory/" + id, "").json().path("id").asText()).isEqualTo(id);
    refused(send("GET", "/api/v1/inventory/no-offer", ""), 404, "offer not found: no-offer");
    assertThat(
            send("GET", "/api/v1/inventory/" + id + "/compatible-templates", "")
                .json()
                .path("note"))
        .isNotNull();
    refused(send("GET", "/api/v1/templates", ""), 500, "template provider not available");
  }

  @Test
  void bodiesOfSessions() {
    refused(send("POST", "/api/v1/sessions", " "), 400, "EOF");
    refused(send("POST", "/api/v1/sessions", "["), 400, "");
    refused(
        send("POST", "/api/v1/sessions", "{}"),
        400,
        "consumer_id is required; offer_id is required; workload_type is required;"
            + " reservation_hours is required");
    refused(create("reservation_hours", "0"), 400, "reservation_hours is required");
    refused(create("reservation_hours", "-1"), 400, "reservation_hours must be at least 1");
    refused(create("reservation_hours", "13"), 400, "reservation_hours must be at most 12");
    refused(
        create("reservation_hours", "\"2\""),
        400,
        "json: cannot unmarshal string into Go struct field CreateSessionRequest.reservation_hours"
            + " of type int");
    refused(create("consumer_id", "7"), 400, "of type string");
    refused(
        create("workload_type", "\"play\""),
        400,
        "invalid workload_type: must be one of: llm, llm_vllm, llm_tgi, training, batch,"
            + " interactive, inference, ssh, benchmark");
    refused(
        send(
            "POST",
            "/api/v1/sessions",
            session("retry_scope", "\"near\"").replace("}", ", \"auto_retry\": true}")),
        400,
        "invalid retry_scope: must be one of: same_gpu, same_vram, any");
    refused(create("offer_id", "\"<none>\""), 404, "offer not found: none");
    refused(
        send("POST", "/api/v1/sessions", session("model_id", "\"" + "x".repeat(2 << 20) + "\"")),
        400,
        "http: request body too large");
  }

  private static Answer create(String field, String value) {
    return send("POST", "/api/v1/sessions", session(field, value));
  }

  @Test
  void littleDiskLeavesNothingBehind() {
    String offer = send("GET", "/api/v1/inventory", "").json().at("/offers/0/id").asText();
    String body =
        session("model_id", "\"meta-llama/Llama-2-70b-hf\"")
            .replace("\"o\"", "\"" + offer + "\"")
            .replace("}", ", \"disk_gb\": 100}");
    Answer answer = send("POST", "/api/v1/sessions", body);
    refused(answer, 400, "insufficient disk space: 100 GB requested, minimum 225 GB required");
    assertThat(answer.json().path("error_type").asText()).isEqualTo("insufficient_disk");
    assertThat(answer.json().path("minimum_gb").asInt()).isEqualTo(225);
    assertThat(answer.json().at("/breakdown/model_weight_gb").asDouble()).isEqualTo(140.0);
    assertThat(send("GET", "/api/v1/sessions?consumer_id=c", "").json().path("count").asInt())
        .isZero();
  }

  @Test
  void sessionsThatThereAreNot() {
    String path = "/api/v1/sessions/sess-abc123";
    refused(send("GET", path, ""), 404, "record not found");
    refused(send("POST", path + "/done", ""), 404, "record not found");
    refused(send("GET", path + "/diagnostics", ""), 404, "record not found");
    refused(send("DELETE", path, ""), 404, "session not found: sess-abc123");
    refused(send("POST", path + "/extend", "{\"additional_hours\": 2}"), 404, "record not found");
    assertThat(send("GET", "/api/v1/sessions?status=odd", "").body())
        .isEqualTo("{\"sessions\":[],\"count\":0}");
    refused(
        send("GET", "/api/v1/sessions?limit=abc", ""),
        400,
        "strconv.ParseInt: parsing \\\"abc\\\": invalid syntax".replace("\\\"", "\""));
  }

  @Test
  void textsThatCannotBeKept() {
    // Shows that zero characters and dates of no calendar are refused, and break nothing.
    for (String path :
        List.of(
            "/api/v1/sessions?consumer_id=a%00b",
            "/api/v1/sessions?provider=%00",
            "/api/v1/costs?consumer_id=%00",
            "/api/v1/costs?session_id=%00",
            "/api/v1/offer-health?provider=%00",
            "/api/v1/inventory?location=%00")) {
      refused(send("GET", path, ""), 400, "must be Unicode text");
    }
    for (String date : List.of("-999999999-01-01", "%2B999999999-12-31", "%2B10000-01-01")) {
      refused(send("GET", "/api/v1/costs?start_date=" + date, ""), 400, "expected YYYY-MM-DD");
      refused(
          send("GET", "/api/v1/costs/reconciliation?end_date=" + date, ""),
          400,
          "expected YYYY-MM-DD");
    }
    refused(create("docker_image", "\"-v /:/host\""), 400, "docker_image must be the name");
    refused(create("model_id", "\"m; reboot\""), 400, "model_id must be the name");
    refused(
        create("on_start_cmd", "\"" + "a".repeat(5000) + "\""),
        400,
        "on_start_cmd must be at most");
  }

  @Test
  void costsOfNothing() {
    refused(
        send("GET", "/api/v1/costs?start_date=yesterday", ""),
        400,
        "invalid start_date format, expected YYYY-MM-DD: yesterday");
    refused(
        send("GET", "/api/v1/costs?end_date=2026-13-01", ""),
        400,
        "invalid end_date format, expected YYYY-MM-DD: 2026-13-01");
    refused(send("GET", "/api/v1/costs?session_id=nobody", ""), 404, "session not found: nobody");
    JsonNode summary = send("GET", "/api/v1/costs/summary?consumer_id=nobody", "").json();
    assertThat(summary.path("total_cost").asDouble()).isZero();
    assertThat(summary.path("session_count").asInt()).isZero();
    assertThat(summary.path("period_start").asText()).endsWith("-01T00:00:00Z");
    assertThat(send("GET", "/api/v1/offer-health", "").json().path("count").asInt()).isZero();
  }

  @Test
  void machinesThatAMarketChargedFor() {
    // Shows pages, days and amounts; what they add up to is that of all pages.
    server
        .running()
        .database()
        .run(tx ->
            tx.update(
                    """
                    with lease as (
                      insert into hold (lease_id, tenant_id, project_id, gpu_model, gpu_count, price_per_gpu_hour_micros,
                                        currency, made_at, held_micros, cost_micros, refills)
                      select '00000000-0000-7000-8000-000000000001', id, default_project_id, 'H100', 1, 0, 'USD', now(), 0, 0, 0
                        from person where username = 'dev-user'
                      returning lease_id as id
                    )
                    insert into machine_day
                    select day.* from lease cross join lateral (
                      values ('vastai', date '2001-02-03', 'b', lease.id, 0, 1250000, 1250000, 1),
                             ('vastai', '2001-02-03', 'a', lease.id, 0, 100, 100, 1),
                             ('vastai', '2001-02-03', 'stray', null, 0, 100, 100, 1),
                             ('other', '2001-02-04', 'a', lease.id, 2000000, 0, -2000000, 1)) day
                    """)
                .execute());
    String path = "/api/v1/costs/reconciliation";
    assertThat(send("GET", path, "").json().path("machines").isArray()).isTrue();
    refused(send("GET", path + "?start_date=soon", ""), 400, "invalid start_date format");
    refused(send("GET", path + "?limit=0", ""), 400, "invalid limit: must be positive, got 0");
    refused(send("GET", path + "?offset=-1", ""), 400, "invalid offset: must be non-negative");
    String days = path + "?start_date=2001-02-03&end_date=2001-02-04&provider=vastai";
    assertThat(send("GET", days + "&limit=1&offset=1", "").body())
        .isEqualTo(
            "{\"machines\":[{\"date\":\"2001-02-03\",\"provider\":\"vastai\",\"instance_id\":\"b\","
                + "\"session_id\":\"00000000-0000-7000-8000-000000000001\","
                + "\"our_cost\":0,\"provider_cost\":1.25,\"difference\":1.25}],"
                + "\"count\":1,\"total\":2,\"total_difference\":1.2501}");
    JsonNode all = send("GET", path + "?start_date=2001-02-01", "").json();
    assertThat(all.path("machines").findValuesAsText("date"))
        .containsExactly("2001-02-04", "2001-02-03", "2001-02-03");
    assertThat(all.path("total_difference").decimalValue()).isEqualByComparingTo("-0.7499");
  }

  @Test
  void pagesOfBrowsersAreNotSomebodyHere() {
    // Shows that a web page cannot rent on this machine: neither by a request from elsewhere, nor
    // by a name that leads here.
    refused(
        send("GET", "/api/v1/sessions", "", "Origin", "https://evil.example"), 400, "no web pages");
    refused(send("GET", "/api/v1/sessions", "", "Sec-Fetch-Site", "cross-site"), 400, "no web");
  }
}
