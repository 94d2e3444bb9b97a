package gpuaas.shopper;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
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
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What docs/api/shopper.yaml says, to hold answers against it. */
final class ShopperContract {

  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");
  private static final JsonNode DOCUMENT = read();

  private ShopperContract() {}

  private static JsonNode read() {
    try {
      return new ObjectMapper(new YAMLFactory())
          .readTree(Path.of("../docs/api/shopper.yaml").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All operations, as {@code GET /ready}. */
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

  /** Holds an answer against the document; a path that is not in it may answer what it likes. */
  static void check(String method, String path, Answer answer) {
    Optional<String> template = template(path.split("\\?", 2)[0]);
    JsonNode operation =
        DOCUMENT.path("paths").path(template.orElse("")).path(method.toLowerCase(Locale.ROOT));
    if (operation.isMissingNode()) {
      return;
    }
    JsonNode responses = operation.path("responses");
    JsonNode written = responses.path("" + answer.status());
    if (written.isMissingNode()) {
      assertThat(answer.status()).as(answer.toString()).isGreaterThanOrEqualTo(400);
      written = responses.path("default");
    }
    JsonNode response =
        written.has("$ref") ? DOCUMENT.at(written.path("$ref").asText().substring(1)) : written;
    JsonNode schema = response.path("content").path("application/json").path("schema");
    if (schema.isMissingNode()) {
      return;
    }
    ObjectNode whole = schema.deepCopy();
    whole.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    whole.set("components", DOCUMENT.path("components"));
    assertThat(
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(
                    whole, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build())
                .validate(answer.json()))
        .as(method + " " + path + ": " + answer.body())
        .isEmpty();
  }

  private static Optional<String> template(String path) {
    List<String> parts = List.of(path.split("/", -1));
    for (var entry : DOCUMENT.path("paths").properties()) {
      List<String> pattern = List.of(entry.getKey().split("/", -1));
      boolean fits = pattern.size() == parts.size();
      for (int i = 0; fits && i < parts.size(); i++) {
        fits = pattern.get(i).startsWith("{") || pattern.get(i).equals(parts.get(i));
      }
      if (fits && !(path.endsWith("/summary") && entry.getKey().contains("{"))) {
        return Optional.of(entry.getKey());
      }
    }
    return Optional.empty();
  }
}
