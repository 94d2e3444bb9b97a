package gpuaas.gpuai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A client of one mount that holds every answer against the document: the status, the media type,
 * the headers and the schema.
 */
final class GpuaiClient {

  static final ObjectMapper JSON = new ObjectMapper();

  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");

  /** All that was answered by anybody, as {@code GET /instances 200}. */
  static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

  private final String url;
  private final String key;
  private final JsonNode document;
  private final Map<String, JsonSchema> schemas = new ConcurrentHashMap<>();

  GpuaiClient(String url, String key, JsonNode document) {
    this.url = url;
    this.key = key;
    this.document = document;
  }

  static GpuaiClient of(TestServer server, Profile profile, String key) {
    String mount = profile == Profile.DOCUMENT ? "/v1" : "/sdk/v1";
    return new GpuaiClient(server.gpuaiUrl() + mount, key, document(profile));
  }

  static JsonNode document(Profile profile) {
    String name = profile == Profile.DOCUMENT ? "gpuai.json" : "gpuai-sdk.json";
    try {
      return JSON.readTree(Path.of("../docs/api", name).toFile());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** All operations of a document, as {@code GET /instances}. */
  static Set<String> operations(JsonNode document) {
    Set<String> operations = new TreeSet<>();
    document
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .fieldNames()
                .forEachRemaining(method -> {
                  if (METHODS.contains(method)) {
                    operations.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey());
                  }
                }));
    return operations;
  }

  GpuaiClient withKey(String otherKey) {
    return new GpuaiClient(url, otherKey, document);
  }

  Answer get(String path) {
    return call("GET", path, "");
  }

  Answer post(String path, String body, String... headers) {
    return call("POST", path, body, headers);
  }

  Answer delete(String path, String... headers) {
    return call("DELETE", path, "", headers);
  }

  /** Sends it, and holds the answer against the document. */
  Answer call(String method, String path, String body, String... headers) {
    Answer answer = send(method, path, body, headers);
    check(method, path, answer);
    return answer;
  }

  /** Sends it. */
  Answer send(String method, String path, String body, String... headers) {
    Map<String, String> all = new HashMap<>();
    if (!key.isEmpty()) {
      all.put("Authorization", "Bearer " + key);
    }
    if (!body.isEmpty()) {
      all.put("Content-Type", "application/json");
    }
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return TestServer.send(method, url + path, all, body);
  }

  private void check(String method, String path, Answer answer) {
    String template = template(path.split("\\?", 2)[0]);
    JsonNode operation =
        document.path("paths").path(template).path(method.toLowerCase(java.util.Locale.ROOT));
    assertThat(operation.isObject()).as(method + " " + template + " is written").isTrue();
    JsonNode responses = operation.path("responses");
    JsonNode written = responses.path("" + answer.status());
    if (written.isMissingNode()) {
      assertThat(answer.status()).as(answer.toString()).isGreaterThanOrEqualTo(400);
      written = responses.path("default");
    }
    JsonNode response = followed(written);
    assertThat(response.isObject()).as(method + path + " " + answer).isTrue();
    SEEN.add(method + " " + template + " " + answer.status());
    response
        .path("headers")
        .fieldNames()
        .forEachRemaining(name ->
            assertThat(answer.headers()).containsKey(name.toLowerCase(java.util.Locale.ROOT)));
    if (!response.has("content")) {
      assertThat(answer.body()).isEmpty();
      return;
    }
    String media = response.path("content").fieldNames().next();
    assertThat(answer.headers().get("content-type")).isEqualTo(media);
    JsonNode schema = response.path("content").path(media).path("schema");
    Set<ValidationMessage> problems = schema(schema).validate(answer.json());
    assertThat(problems).as(answer.body()).isEmpty();
    if (answer.status() >= 400) {
      JsonNode problem = answer.json();
      assertThat(problem.path("status").asInt()).isEqualTo(answer.status());
      if (!answer.headers().containsKey("idempotent-replayed")) {
        assertThat(problem.path("request_id").asText())
            .isEqualTo(answer.headers().get("x-request-id"));
      }
      assertThat(problem.path("type").asText())
          .isEqualTo("https://api.gpu.ai/errors/" + problem.path("code").asText());
    }
  }

  private String template(String path) {
    if (document.path("paths").has(path)) {
      return path;
    }
    return path.substring(0, path.lastIndexOf('/')) + "/{id}";
  }

  private JsonNode followed(JsonNode node) {
    return node.has("$ref") ? document.at(node.path("$ref").asText().substring(1)) : node;
  }

  private JsonSchema schema(JsonNode schema) {
    return schemas.computeIfAbsent(
        schema.toString(),
        _ -> {
          ObjectNode whole = schema.deepCopy();
          whole.put("$schema", "https://json-schema.org/draft/2020-12/schema");
          whole.set("components", document.path("components"));
          return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
              .getSchema(
                  whole, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
        });
  }

  // --- what tests do again and again ---

  /** Registers a new key; its id. */
  String addSshKey(String publicKey) {
    Answer answer =
        post(
            "/ssh-keys",
            JSON.createObjectNode().put("name", "test").put("public_key", publicKey).toString());
    assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    return answer.json().path("id").asText();
  }

  /** Asks for GPUs; the operation. */
  JsonNode create(int gpus, String... headers) {
    Answer answer = post("/instances", wanted(gpus), headers);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    JsonNode operation = answer.json();
    assertThat(answer.headers().get("operation-id"))
        .isEqualTo(operation.path("operation_id").asText());
    return operation;
  }

  static String wanted(int gpus) {
    return "{\"gpu_type\": \"h200\", \"gpu_count\": " + gpus + ", \"tier\": \"on_demand\"}";
  }

  /** Waits for the operation's end; it then. */
  JsonNode awaitEnd(JsonNode operation) {
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        Duration.ofSeconds(60),
        "the operation ends",
        () -> {
          last[0] = get("/operations/" + operation.path("operation_id").asText()).json();
          return Set.of("succeeded", "failed", "cancelled")
              .contains(last[0].path("state").asText());
        });
    return last[0];
  }

  /** Makes an instance that runs; its id. */
  String running(int gpus) {
    JsonNode done = awaitEnd(create(gpus));
    assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("succeeded");
    return done.path("resource_id").asText();
  }
}
