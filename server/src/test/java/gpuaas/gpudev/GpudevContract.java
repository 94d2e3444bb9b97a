package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import gpuaas.http.Route;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What docs/api/gpudev.json says, to hold answers against it. */
final class GpudevContract {

  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");
  private static final JsonNode DOCUMENT = read();

  private GpudevContract() {}

  private static JsonNode read() {
    try {
      return new ObjectMapper().readTree(Path.of("../docs/api/gpudev.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode document() {
    return DOCUMENT;
  }

  /** All operations, as {@code GET /health}. */
  static Set<String> operations() {
    Set<String> operations = new TreeSet<>();
    DOCUMENT
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .fieldNames()
                .forEachRemaining(method -> {
                  if (METHODS.contains(method)) {
                    operations.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey());
                  }
                }));
    return operations;
  }

  /** The same of what is there. */
  static Set<String> operations(List<Route> routes) {
    Set<String> operations = new TreeSet<>();
    routes.forEach(route -> operations.add(route.method() + " " + route.path()));
    return operations;
  }

  /** Fails when an answer is not as the contract says. */
  static void check(String method, String path, Answer answer) {
    String bare = path.split("\\?", 2)[0];
    Optional<JsonNode> operation =
        DOCUMENT.path("paths").properties().stream()
            .filter(entry -> matches(entry.getKey(), bare))
            .sorted(
                Map.Entry.comparingByKey((a, b) -> a.contains("{") ? 1 : b.contains("{") ? -1 : 0))
            .map(entry -> entry.getValue().path(method.toLowerCase(Locale.ROOT)))
            .filter(found -> !found.isMissingNode())
            .findFirst();
    if (operation.isEmpty()) {
      return; // no operation of ours: what is said then has no form in the contract
    }
    JsonNode responses = operation.get().path("responses");
    JsonNode response =
        responses.has("" + answer.status())
            ? responses.path("" + answer.status())
            : responses.path("default");
    if (response.has("$ref")) {
      response = DOCUMENT.at(response.path("$ref").asText().substring(1));
    }
    JsonNode schema = response.path("content").path("application/json").path("schema");
    assertThat(schema.isMissingNode()).as(method + " " + path + " " + answer).isFalse();
    assertThat(problems(schema, answer.json())).as(method + " " + path + " " + answer).isEmpty();
  }

  private static boolean matches(String template, String path) {
    return path.matches(template.replace(".", "\\.").replaceAll("\\{[a-z]+\\}", "[^/]+"));
  }

  private static List<String> problems(JsonNode schema, JsonNode value) {
    ObjectNode whole = schema.deepCopy();
    whole.set("components", DOCUMENT.path("components"));
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(whole, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build())
        .validate(value)
        .stream()
        .map(Object::toString)
        .toList();
  }
}
