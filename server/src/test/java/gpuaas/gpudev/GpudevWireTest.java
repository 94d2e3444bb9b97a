package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The shapes and texts of contract 2, as clients know them. */
class GpudevWireTest {

  private static final String JOB =
      "{\"image\": \"i\", \"instance_type\": \"p5e.48xlarge\", \"duration_hours\": 1}";

  private static TestServer server;
  private static String key;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local"));
    key = server.apiKey("full_access");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Answer call(String method, String path, String body, String... headers) {
    Map<String, String> all = new java.util.HashMap<>();
    all.put("Authorization", "Bearer " + key);
    if (!body.isEmpty()) {
      all.put("Content-Type", "application/json");
    }
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    all.values().removeIf(String::isEmpty);
    Answer answer = TestServer.send(method, server.gpudevUrl() + path, all, body);
    GpudevContract.check(method, path, answer);
    return answer;
  }

  private static String detail(Answer answer) {
    return answer.json().path("detail").asText();
  }

  // --- what needs no key ---

  @Test
  void whatItIsAndWhetherItIsWell() {
    Answer info = call("GET", "/", "", "Authorization", "");
    assertThat(info.status()).isEqualTo(200);
    assertThat(info.json().path("service").asText()).isEqualTo("GPU Dev API");
    assertThat(info.json().path("endpoints").path("jobs").asText()).isEqualTo("/v1/jobs");
    Answer health = call("GET", "/health", "", "Authorization", "");
    assertThat(health.json().path("status").asText()).isEqualTo("healthy");
    assertThat(health.json().path("queue").asText()).isEqualTo("healthy");
    assertThat(health.json().path("timestamp").asText())
        .matches("[0-9-]{10}T[0-9:]{8}(\\.[0-9]{6})?Z");
  }

  @ParameterizedTest
  @CsvSource({
    "'', 401, Not authenticated",
    "Bearer, 401, Not authenticated",
    "Basic abcdefghijklmnopqrst, 401, Invalid authentication credentials",
    "Bearer short, 401, Invalid API key format",
    "Bearer abcdefghijklmnopqrstuvwxyz, 401, Invalid API key",
    "bearer abcdefghijklmnopqrstuvwxyz, 401, Invalid API key",
  })
  void whoIsNotKnown(String authorization, int status, String text) {
    Answer no = call("GET", "/v1/jobs", "", "Authorization", authorization);
    assertThat(no.status()).isEqualTo(status);
    assertThat(detail(no)).isEqualTo(text);
    if (text.equals("Not authenticated")) {
      assertThat(no.headers()).containsEntry("www-authenticate", "Bearer");
    }
  }

  @Test
  void whatIsNotThere() {
    assertThat(call("GET", "/v1/nothing", "").body()).isEqualTo("{\"detail\":\"Not Found\"}");
    Answer wrong = call("PUT", "/v1/jobs", "");
    assertThat(wrong.status()).isEqualTo(405);
    assertThat(wrong.body()).isEqualTo("{\"detail\":\"Method Not Allowed\"}");
    assertThat(wrong.headers()).containsKey("allow");
    assertThat(call("HEAD", "/v1/jobs", "").status()).isEqualTo(405);
    assertThat(detail(call("GET", "/v1/jobs/submit", ""))).isEqualTo("Job submit not found");
    for (String action : List.of("cancel", "extend", "users")) {
      Answer none =
          call(
              "POST",
              "/v1/jobs/abcdef12/" + action,
              "{\"extension_hours\": 1, \"github_username\": \"a\"}");
      assertThat(none.status()).isEqualTo(404);
      assertThat(detail(none)).isEqualTo("Job abcdef12 not found");
    }
  }

  @Test
  void aSlashAtTheEndIsSentOn() throws Exception {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(server.gpudevUrl() + "/v1/jobs/?limit=2"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(307);
    assertThat(answer.headers().firstValue("location"))
        .contains(server.gpudevUrl() + "/v1/jobs?limit=2");
  }

  @Test
  void theContractIsWhatThereIs() {
    // Both ways; it is served, and pages to read it with.
    assertThat(GpudevContract.operations())
        .isEqualTo(
            GpudevContract.operations(
                server.running().dialects().stream()
                    .filter(dialect -> dialect.name().equals("gpudev"))
                    .findFirst()
                    .orElseThrow()
                    .routes()));
    Answer document = call("GET", "/openapi.json", "", "Authorization", "");
    assertThat(document.json()).isEqualTo(GpudevContract.document());
    for (String page :
        List.of(
            "/docs",
            "/docs/start.js",
            "/docs/swagger-ui.css",
            "/redoc",
            "/docs/swagger-ui-bundle.js",
            "/redoc/redoc.standalone.js")) {
      assertThat(TestServer.send("GET", server.gpudevUrl() + page, Map.of(), "").status())
          .as(page)
          .isEqualTo(200);
    }
  }

  // --- bodies ---

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | missing image, missing instance_type",
        "{\"image\": 1, \"instance_type\": null} | string_type image, string_type instance_type",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": \"abc\"} | int_parsing"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": \"\"} | int_parsing"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": null} | int_type"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": []} | int_type"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": 0} | greater_than_equal"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": -1} | greater_than_equal"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": 0.01} |"
            + " greater_than_equal duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": 73} | less_than_equal"
            + " duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": 1e999999999} |"
            + " less_than_equal duration_hours",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"disk_size_gb\": 9} | greater_than_equal"
            + " disk_size_gb",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"disk_size_gb\": 1.5} | int_from_float"
            + " disk_size_gb",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"disk_size_gb\": \"4.5\"} | int_parsing"
            + " disk_size_gb",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"env_vars\": []} | dict_type env_vars",
        "{\"image\": \"i\", \"instance_type\": \"x\", \"command\": 7, \"disk_name\": true} |"
            + " string_type disk_name, string_type command",
        "[] | model_attributes_type ",
        "\"text\" | model_attributes_type ",
        "null | missing ",
      })
  void whatIsWrongIsToldAllAtOnce(String body, String wanted) {
    Answer no = call("POST", "/v1/jobs/submit", body);
    assertThat(no.status()).as(no.body()).isEqualTo(422);
    List<String> found =
        StreamSupport.stream(no.json().path("detail").spliterator(), false)
            .map(problem ->
                problem.path("type").asText() + " " + problem.path("loc").path(1).asText())
            .toList();
    assertThat(String.join(", ", found).strip()).isEqualTo(wanted.strip());
    for (JsonNode problem : no.json().path("detail")) {
      assertThat(problem.path("loc").path(0).asText()).isEqualTo("body");
      assertThat(problem.has("msg")).isTrue();
      assertThat(problem.has("input")).isTrue();
      assertThat(problem.has("url")).isFalse();
    }
  }

  @Test
  void theWordsOfAProblem() {
    // As in the document: what was sent comes back, and the limit beside it.
    JsonNode most =
        call(
                "POST",
                "/v1/jobs/submit",
                "{\"image\": \"i\", \"instance_type\": \"x\", \"duration_hours\": 73}")
            .json()
            .path("detail")
            .path(0);
    assertThat(most.path("msg").asText()).isEqualTo("Input should be less than or equal to 72");
    assertThat(most.path("ctx").path("le").asInt()).isEqualTo(72);
    assertThat(most.path("input").asInt()).isEqualTo(73);
    JsonNode missing = call("POST", "/v1/jobs/submit", "{\"a\": 1}").json().path("detail").path(0);
    assertThat(missing.path("msg").asText()).isEqualTo("Field required");
    assertThat(missing.path("input").path("a").asInt()).isEqualTo(1);
  }

  @Test
  void brokenJsonIsToldBeforeAnythingElse() {
    Answer no = call("POST", "/v1/jobs/submit", "{\"image\": ", "Authorization", "");
    assertThat(no.status()).isEqualTo(422);
    JsonNode problem = no.json().path("detail").path(0);
    assertThat(problem.path("type").asText()).isEqualTo("json_invalid");
    assertThat(problem.path("loc").path(1).isInt()).isTrue();
    assertThat(problem.path("msg").asText()).isEqualTo("JSON decode error");
    assertThat(problem.path("input").isObject()).isTrue();
    assertThat(problem.path("ctx").path("error").isTextual()).isTrue();
    Answer form =
        call("POST", "/v1/jobs/submit", JOB, "Content-Type", "application/x-www-form-urlencoded");
    assertThat(form.json().path("detail").path(0).path("type").asText())
        .isEqualTo("model_attributes_type");
    assertThat(form.json().path("detail").path(0).path("input").asText()).isEqualTo(JOB);
  }

  @ParameterizedTest
  @CsvSource({
    "limit=0, greater_than_equal",
    "limit=501, less_than_equal",
    "limit=x, int_parsing",
    "offset=-1, greater_than_equal",
    "offset=1.5, int_parsing",
  })
  void whatIsWrongInAQuery(String query, String type) {
    Answer no = call("GET", "/v1/jobs?" + query, "");
    assertThat(no.status()).isEqualTo(422);
    assertThat(no.json().path("detail").path(0).path("type").asText()).isEqualTo(type);
    assertThat(no.json().path("detail").path(0).path("loc").path(0).asText()).isEqualTo("query");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"instance_type\": \"p5.48xlarge\" | no machine has H100",
        "\"instance_type\": \"nonsense\" | not known here",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"h200\", \"GPU_COUNT\": \"16\"} |"
            + " the largest has 8",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"h200\", \"GPU_COUNT\": \"many\"}"
            + " | whole number",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"cpu-x86\", \"GPU_COUNT\": \"1\"}"
            + " | GPU_COUNT must be 0 for cpu-x86",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"cpu-arm\"} | no machine has"
            + " places without GPUs of the kind CPU_ARM",
        "\"instance_type\": \"c7g.8xlarge\" | CPU_ARM",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"h200\", \"GPU_COUNT\": \"0\"} |"
            + " must be 1 at least",
        "\"instance_type\": \"x\", \"env_vars\": {\"GPU_TYPE\": \"cpu-spot\", \"GPU_COUNT\": \"0\"}"
            + " | cpu-x86 or cpu-arm",
        "\"instance_type\": \"a\\u0000b\", \"env_vars\": {\"GPU_TYPE\": \"h200\"} | none of them a"
            + " control character",
        "\"instance_type\": \"p5e.48xlarge\", \"env_vars\": {\"GITHUB_USER\": \"%LONG%\"} | at most"
            + " 255 characters",
        "\"instance_type\": \"p5e.48xlarge\", \"env_vars\": {\"not a name\": 1} | cannot be the"
            + " name",
      })
  void whatCanNeverStartIsRefusedAtOnce(String more, String why) {
    Answer no =
        call(
            "POST",
            "/v1/jobs/submit",
            "{\"image\": \"i\", " + more.replace("%LONG%", "g".repeat(256)) + "}");
    assertThat(no.status()).as(no.body()).isEqualTo(400);
    assertThat(detail(no)).contains(why);
  }
}
