package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import gpuaas.access.KeyPairs;
import gpuaas.gpuaas.wire.ErrorCode;
import gpuaas.http.Dialect;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/api/gpuaas.yaml says is what there is, and what there is it says. */
class ContractTest {

  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");

  private static final String LIMIT = "x-ratelimit-limit";

  private static JsonNode contract;
  private static TestServer server;
  private static String token;

  @BeforeAll
  static void start() throws Exception {
    contract =
        new ObjectMapper(new YAMLFactory()).readTree(Path.of("../docs/api/gpuaas.yaml").toFile());
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"));
    token = server.token("dev-user", "dev123");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theRoutesAreThoseOfTheContract() {
    Dialect gpuaas = server.running().dialects().getFirst();
    Set<String> there = new TreeSet<>();
    gpuaas.routes().forEach(route -> there.add(route.method() + " " + route.path()));
    gpuaas.sockets().forEach(socket -> there.add("GET " + socket.path()));
    Set<String> written = new TreeSet<>();
    contract
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .fieldNames()
                .forEachRemaining(method -> {
                  if (METHODS.contains(method)) {
                    written.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey());
                  }
                }));
    assertThat(written).isEqualTo(there);
  }

  @Test
  void everyReferenceLeadsSomewhereAndEveryPartIsUsed() {
    Set<String> used = new TreeSet<>(contract.findValuesAsText("$ref"));
    assertThat(used)
        .allSatisfy(reference ->
            assertThat(contract.at(reference.substring(1)).isMissingNode())
                .as(reference)
                .isFalse());
    for (String kind : List.of("schemas", "responses", "parameters", "headers")) {
      contract
          .path("components")
          .path(kind)
          .fieldNames()
          .forEachRemaining(name -> assertThat(used).contains("#/components/" + kind + "/" + name));
    }
    List<String> operations = contract.findValuesAsText("operationId");
    assertThat(operations).doesNotHaveDuplicates();
  }

  /** Whoever is known may say in which project they act, wherever they call. */
  @Test
  void everyCallOfSomebodyKnownTakesAProject() {
    contract
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .properties()
                .forEach(method -> {
                  JsonNode operation = method.getValue();
                  boolean open = operation.path("security").isArray();
                  if (METHODS.contains(method.getKey()) && !open) {
                    assertThat(operation.path("parameters").findValuesAsText("$ref"))
                        .as(method.getKey() + " " + path.getKey())
                        .contains("#/components/parameters/Project");
                  }
                }));
  }

  /** The codes of the contract are those of the code, and the page shows them all. */
  @Test
  void theErrorCodesAreThoseOfTheContract() {
    List<String> written = texts(contract.at("/components/schemas/Error/properties/code/enum"));
    List<String> there = Arrays.stream(ErrorCode.values()).map(ErrorCode::text).toList();
    assertThat(written).containsExactlyInAnyOrderElementsOf(there);
    Answer page = TestServer.send("GET", server.apiUrl() + "/errors", Map.of(), "");
    assertThat(page.body()).contains(there);
    assertThat(page.headers().get("content-security-policy")).contains("default-src 'self'");
  }

  @Test
  void theAnswersOfAWholeLifeAreAsWritten() throws IOException {
    as("/api/v1/me", "get", "/api/v1/me", "");
    as("/api/v1/catalog", "get", "/api/v1/catalog", "");
    as("/api/v1/credits", "get", "/api/v1/credits", "");
    as("/api/v1/budgets", "get", "/api/v1/budgets", "");
    as("/healthz", "get", "/healthz", "");
    as("/readyz", "get", "/readyz", "");
    String key =
        new ObjectMapper()
            .writeValueAsString(
                Map.of("title", "t", "key", KeyPairs.make("contract").publicKey().line()));
    String keyId = as("/api/v1/ssh-keys", "post", "/api/v1/ssh-keys", key).path("id").asText();
    as("/api/v1/ssh-keys", "post", "/api/v1/ssh-keys", key);
    as("/api/v1/ssh-keys", "get", "/api/v1/ssh-keys", "");
    as("/api/v1/ssh-keys/{id}", "get", "/api/v1/ssh-keys/" + keyId, "");
    anApiKey();
    String path = "/api/v1/allocations";
    String body =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": 2, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": [\""
            + keyId
            + "\"]}";
    String id = as(path, "post", path, body).path("id").asText();
    server.awaitStatus(token, id, "active");
    String waiting = as(path, "post", path, body).path("id").asText();
    as(path, "post", path, "{}");
    as(path, "post", path, "[");
    for (String each : List.of(id, waiting)) {
      as(path + "/{id}", "get", path + "/" + each, "");
      as(path + "/{id}/terminal-token", "post", path + "/" + each + "/terminal-token", "");
    }
    as(path, "get", path, "");
    as(path, "get", path + "?page_size=1&status=active", "");
    as(path, "get", path + "?page_size=0", "");
    for (String each : List.of(waiting, id)) {
      as(path + "/{id}/release", "post", path + "/" + each + "/release", "");
      server.awaitStatus(token, each, "released");
      as(path + "/{id}", "get", path + "/" + each, "");
      as(path + "/{id}/timeline", "get", path + "/" + each + "/timeline", "");
    }
    as("/api/v1/ssh-keys/{id}", "delete", "/api/v1/ssh-keys/" + keyId, "");
    as("/api/v1/ssh-keys/{id}", "delete", "/api/v1/ssh-keys/" + keyId, "");
  }

  @Test
  void whatIsSaidOfEventsIsAsWritten() throws IOException {
    as("/api/v1/events", "get", "/api/v1/events?limit=2", "");
    as("/api/v1/events", "get", "/api/v1/events?after=1", "");
    String path = "/api/v1/webhook-endpoints";
    String body =
        "{\"url\": \"https://hooks.example.invalid/\", \"event_types\": [\"lease.ended\"]}";
    String id = as(path, "post", path, body).path("id").asText();
    as(path, "post", path, "{}");
    as(path, "get", path, "");
    String one = path + "/{id}";
    String here = path + "/" + id;
    as(one, "get", here, "");
    as(one + "/rotate-secret", "post", here + "/rotate-secret", "");
    String trial = as(one + "/probe", "post", here + "/probe", "").path("id").asText();
    String resend = "/deliveries/" + trial + "/resend";
    as(one + "/deliveries/{delivery_id}/resend", "post", here + resend, "");
    as(one + "/deliveries", "get", here + "/deliveries?page_size=1", "");
    as(one, "delete", here, "");
    as(one, "get", here, "");
    as(one + "/probe", "post", here + "/probe", "");
  }

  @Test
  void loggingInIsAsWritten() throws IOException {
    String auth = "/api/v1/auth";
    String query = "?redirect_uri=http%3A%2F%2Flocalhost%3A1&method=S256&code_challenge=";
    as(auth + "/oidc/authorize", "get", auth + "/oidc/authorize" + query + "c".repeat(43), "");
    as(auth + "/oidc/authorize", "get", auth + "/oidc/authorize" + query, "");
    String code = "{\"code\": \"c\", \"verifier\": \"%s\", \"redirect_uri\": \"r\"}";
    as(auth + "/oidc/exchange", "post", auth + "/oidc/exchange", code.formatted("v".repeat(43)));
    as(auth + "/oidc/exchange", "post", auth + "/oidc/exchange", "{}");
    String person = "{\"username\": \"contract-person\", \"password\": \"a long password\"}";
    as(auth + "/personal/sign-up", "post", auth + "/personal/sign-up", person);
    as(auth + "/personal/sign-up", "post", auth + "/personal/sign-up", person);
    String refreshToken =
        as(auth + "/personal/sign-in", "post", auth + "/personal/sign-in", person)
            .path("refresh_token")
            .asText();
    String refresh = "{\"refresh_token\": \"" + refreshToken + "\"}";
    as(auth + "/token/refresh", "post", auth + "/token/refresh", refresh);
    as(auth + "/token/refresh", "post", auth + "/token/refresh", refresh);
    as(auth + "/sessions", "get", auth + "/sessions", "");
    as(auth + "/sessions/{id}", "delete", auth + "/sessions/" + UUID.randomUUID(), "");
    String before = token;
    token = server.token("dev-user", "dev123");
    as(auth + "/logout", "post", auth + "/logout", "");
    as(auth + "/logout", "post", auth + "/logout", "");
    token = before;
  }

  @Test
  void policiesAreAsWritten() throws IOException {
    String path = "/api/v1/policies";
    String admin = "/api/v1/admin/policies";
    String key = "/rate_limit.requests_per_minute";
    String value = "{\"value\": 100000}";
    as(path, "get", path, "");
    as(admin, "get", admin, "");
    as(path + "/{key}/tenant", "put", path + key + "/tenant", value);
    as(path + "/{key}/tenant", "put", path + key + "/tenant", "{\"value\": 0}");
    as(path + "/{key}/tenant", "delete", path + key + "/tenant", "");
    String before = token;
    token = server.token("dev-admin", "admin123");
    as(admin, "get", admin, "");
    as(admin + "/{key}/global", "put", admin + key + "/global", "{\"value\": 600000}");
    String values = "/api/v1/admin/policy-values";
    as(values, "get", values + "?page_size=1", "");
    String tenant = admin + key + "/tenants/" + UUID.randomUUID();
    as(admin + "/{key}/tenants/{id}", "put", tenant, value);
    as(admin + "/{key}/global", "delete", admin + key + "/global", "");
    as(admin + "/{key}/global", "delete", admin + key + "/global", "");
    token = before;
  }

  private static void anApiKey() throws IOException {
    String path = "/api/v1/api-keys";
    String body = "{\"name\": \"n\", \"expires_at\": \"2999-01-01T00:00:00Z\"}";
    String id = as(path, "post", path, body).path("id").asText();
    as(path, "post", path, "{\"name\": \"n\", \"scopes\": [\"all\"]}");
    as(path, "get", path + "?page_size=1", "");
    as(path + "/{id}/rotate", "post", path + "/" + id + "/rotate", "");
    as(path + "/{id}", "get", path + "/" + id, "");
    as(path + "/{id}", "delete", path + "/" + id, "");
    as(path + "/{id}/rotate", "post", path + "/" + id + "/rotate", "");
    as(path + "/{id}", "get", path + "/" + UUID.randomUUID(), "");
  }

  /** Asks, and holds the answer against what is written of it. */
  private static JsonNode as(String path, String method, String asked, String body) {
    Answer answer = server.call(method.toUpperCase(Locale.ROOT), asked, token, body);
    JsonNode operation = contract.path("paths").path(path).path(method);
    JsonNode response = followed(operation.path("responses").path("" + answer.status()));
    assertThat(response.isObject()).as(asked + " may not answer " + answer.status()).isTrue();
    response
        .path("headers")
        .fieldNames()
        .forEachRemaining(name ->
            assertThat(answer.headers()).as(asked).containsKey(name.toLowerCase(Locale.ROOT)));
    if (!operation.path("security").isEmpty() || operation.path("security").isMissingNode()) {
      Set<Integer> unknown = Set.of(401, 413);
      assertThat(unknown.contains(answer.status()) || answer.headers().containsKey(LIMIT))
          .as(asked + " says nothing of limits")
          .isTrue();
    }
    JsonNode schema = response.path("content").path("application/json").path("schema");
    if (schema.isMissingNode()) {
      assertThat(answer.body()).isEmpty();
      return schema;
    }
    assertThat(answer.headers()).containsEntry("content-type", "application/json");
    List<String> problems = new ArrayList<>();
    check(schema, answer.json(), asked, problems);
    assertThat(problems).isEmpty();
    return answer.json();
  }

  private static JsonNode followed(JsonNode node) {
    return node.has("$ref") ? contract.at(node.path("$ref").asText().substring(1)) : node;
  }

  /** As much of JSON Schema as the contract uses. */
  private static void check(JsonNode schema, JsonNode value, String at, List<String> problems) {
    JsonNode rule = followed(schema);
    if (rule.has("oneOf")) {
      check(rule.path("oneOf").path(value.isNull() ? 0 : 1), value, at, problems);
      return;
    }
    if (!isOf(rule.path("type"), value)) {
      problems.add(at + " is " + value + " and should be " + rule.path("type"));
    }
    if (rule.has("enum") && !List.copyOf(texts(rule.path("enum"))).contains(value.asText())) {
      problems.add(at + " is " + value + ", which is not listed");
    }
    texts(rule.path("required")).stream()
        .filter(name -> !value.has(name))
        .forEach(name -> problems.add(at + " lacks " + name));
    value
        .properties()
        .forEach(field -> {
          JsonNode known = rule.path("properties").path(field.getKey());
          JsonNode others = rule.path("additionalProperties");
          if (known.isObject() || others.isObject()) {
            check(
                known.isObject() ? known : others,
                field.getValue(),
                at + "." + field.getKey(),
                problems);
          } else if (!others.asBoolean()) {
            problems.add(at + " has " + field.getKey() + ", which is not written");
          }
        });
    value
        .valueStream()
        .filter(_ -> value.isArray())
        .forEach(item -> check(rule.path("items"), item, at + "[]", problems));
  }

  private static List<String> texts(JsonNode list) {
    return list.valueStream().map(JsonNode::asText).toList();
  }

  private static boolean isOf(JsonNode type, JsonNode value) {
    if (type.isArray()) {
      return type.valueStream().anyMatch(each -> isOf(each, value));
    }
    return switch (type.asText()) {
      case "string" -> value.isTextual();
      case "integer" -> value.isIntegralNumber();
      case "boolean" -> value.isBoolean();
      case "array" -> value.isArray();
      case "object" -> value.isObject();
      case "null" -> value.isNull();
      default -> false;
    };
  }
}
