package gpuaas.gpuai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every no of the GPU.ai dialect: its status, its code, and that nothing happened. */
class GpuaiRefusalTest {

  private static TestServer server;
  private static String key;
  private static GpuaiClient client;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200",
                "GPUAAS_GPUAI_CAPACITY_WAIT", "0s",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "1000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "1000"));
    key = server.apiKey("full_access");
    client = GpuaiClient.of(server, Profile.DOCUMENT, key);
    client.addSshKey(KeyPairs.make("refusal").publicKey().line());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void refused(Answer answer, int status, String code) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    JsonNode problem = answer.json();
    assertThat(problem.path("code").asText()).as(answer.body()).isEqualTo(code);
    assertThat(problem.path("status").asInt()).isEqualTo(status);
    assertThat(problem.path("request_id").asText()).matches("[0-9a-f]{32}");
    assertThat(answer.headers().get("content-type")).isEqualTo("application/problem+json");
  }

  @Test
  void whoComesWithoutAKeyOrWithABadOneIsToldWhich() {
    for (String operation : GpuaiClient.operations(GpuaiClient.document(Profile.DOCUMENT))) {
      String method = operation.split(" ")[0];
      String path = operation.split(" ")[1].replace("{id}", UUID.randomUUID().toString());
      if (Set.of("/health", "/openapi.json", "/gpu-types", "/pricing").contains(path)) {
        continue;
      }
      Answer without = client.withKey("").send(method, path, "");
      refused(without, 401, "unauthenticated");
      assertThat(without.headers().get("www-authenticate")).isEqualTo("Bearer");
      for (String bad :
          List.of("nonsense", "gpuai_live_" + "x".repeat(24), key + "x", key.toUpperCase())) {
        Answer answer = client.withKey(bad).send(method, path, "");
        assertThat(answer.status()).as(operation + " with " + bad).isEqualTo(401);
        refused(answer, 401, "invalid_api_key");
      }
      refused(
          client.withKey("").send(method, path, "", "Authorization", "Basic " + key),
          401,
          "unauthenticated");
    }
  }

  @Test
  void aKeyAllowsWhatItsScopesSay() {
    Map<String, List<String>> allowed =
        Map.of(
            "instances:read", List.of("GET /instances"),
            "ssh_keys:read", List.of("GET /ssh-keys"),
            "ssh_keys:write", List.of("GET /ssh-keys", "POST /ssh-keys"),
            "billing:read", List.of("GET /usage"),
            "webhooks:write", List.of("GET /webhook-endpoints", "POST /webhook-endpoints"),
            "read_only",
                List.of("GET /instances", "GET /ssh-keys", "GET /usage", "GET /webhook-endpoints"),
            "instances:none", List.of());
    List<String> asked =
        List.of(
            "GET /instances",
            "POST /instances",
            "GET /ssh-keys",
            "POST /ssh-keys",
            "GET /usage",
            "GET /webhook-endpoints",
            "POST /webhook-endpoints");
    allowed.forEach((scope, operations) -> {
      GpuaiClient narrow = client.withKey(server.apiKey(scope));
      for (String operation : asked) {
        String[] parts = operation.split(" ");
        Answer answer = narrow.call(parts[0], parts[1], parts[0].equals("POST") ? "{}" : "");
        boolean denied = answer.status() == 403;
        assertThat(denied).as(scope + " " + operation).isEqualTo(!operations.contains(operation));
        if (denied) {
          refused(answer, 403, "insufficient_scope");
        }
      }
    });
  }

  @Test
  void whatIsOfAnotherOrganisationIsNotThere() {
    String id = client.running(1);
    JsonNode operation = client.delete("/instances/" + id).json();
    String sshKey = client.get("/ssh-keys").json().path("data").get(0).path("id").asText();
    String admin = server.token("dev-admin", "admin123");
    String foreign =
        server
            .call("POST", "/api/v1/api-keys", admin, "{\"name\": \"other\"}")
            .json()
            .path("key")
            .asText();
    GpuaiClient other = client.withKey(foreign);
    for (String path :
        List.of(
            "/instances/" + id,
            "/operations/" + operation.path("operation_id").asText(),
            "/ssh-keys/" + sshKey)) {
      refused(other.get(path), 404, "not_found");
    }
    refused(other.delete("/instances/" + id), 404, "not_found");
    refused(other.call("PATCH", "/instances/" + id, "{\"name\": \"mine\"}"), 404, "not_found");
    refused(other.delete("/ssh-keys/" + sshKey), 404, "not_found");
    assertThat(other.get("/instances?status=all").json().path("data")).isEmpty();
    assertThat(other.get("/ssh-keys").json().path("data")).isEmpty();
    assertThat(other.get("/usage").json().path("data")).isEmpty();
    client.awaitEnd(operation);
  }

  @Test
  void whatIsWrongInABodyIsSaid() {
    int before = client.get("/instances?status=all&limit=200").json().path("data").size();
    Map<String, String> wrong =
        Map.ofEntries(
            Map.entry("{}", "gpu_type is required"),
            Map.entry(with("gpu_count", "0"), "gpu_count"),
            Map.entry(with("gpu_count", "9"), "gpu_count"),
            Map.entry(with("gpu_count", "\"2\""), "gpu_count"),
            Map.entry(with("gpu_count", "1.5"), "gpu_count"),
            Map.entry(with("tier", "\"cheap\""), "tier"),
            Map.entry(with("tier", "null"), "tier"),
            Map.entry(with("region", "7"), "region"),
            Map.entry(with("name", "\"" + "n".repeat(256) + "\""), "name"),
            Map.entry(with("max_price_per_hour", "\"1\""), "max_price_per_hour"),
            Map.entry(with("max_price_per_hour", "-1"), "max_price_per_hour"),
            Map.entry(with("max_price_per_hour", "1e400"), "max_price_per_hour"),
            Map.entry(with("ssh_key_ids", "[\"" + UUID.randomUUID() + "\"]"), "ssh_key_ids"),
            Map.entry(with("ssh_key_ids", "\"all\""), "ssh_key_ids"),
            Map.entry(with("disk_gb", "100"), "disk_gb"),
            Map.entry(with("environment", "\"certified\""), "environment"),
            Map.entry(with("template_id", "\"t\""), "template_id"),
            Map.entry(with("env", "{\"A\": \"b\"}"), "env"),
            Map.entry(with("offering_id", "\"h200:2:spot:us-buffalo-1\""), "offering_id"));
    wrong.forEach((body, says) -> {
      Answer answer = client.post("/instances", body, "Idempotency-Key", "corrected later");
      refused(answer, 422, "validation_failed");
      assertThat(answer.json().path("detail").asText()).as(body).contains(says);
    });
    refused(client.post("/instances", with("gpu_type", "\"h900\"")), 422, "invalid_gpu_type");
    Answer dear = client.post("/instances", with("max_price_per_hour", "0.01"));
    refused(dear, 422, "validation_failed");
    assertThat(dear.json().path("detail").asText()).contains("max_price_per_hour");
    for (String unreadable : List.of("[", "[]", "7", "{\"a\": 1, \"a\": 2}", "{} {}", " ")) {
      refused(client.post("/instances", unreadable), 400, "validation_failed");
    }
    refused(
        client.post("/instances", "gpu_type=h200", "Content-Type", "text/plain"),
        415,
        "validation_failed");
    refused(
        client.post("/instances", "{\"a\": \"" + "x".repeat(2 << 20) + "\"}"),
        413,
        "validation_failed");
    assertThat(client.get("/instances?status=all&limit=200").json().path("data")).hasSize(before);
    // The key was free again after each of them.
    assertThat(
            client
                .post("/instances", GpuaiClient.wanted(8), "Idempotency-Key", "corrected later")
                .status())
        .isEqualTo(202);
  }

  private static String with(String field, String value) {
    Map<String, String> fields =
        new java.util.LinkedHashMap<>(
            Map.of("gpu_type", "\"h200\"", "gpu_count", "1", "tier", "\"on_demand\""));
    fields.put(field, value);
    List<String> members = new ArrayList<>();
    fields.forEach((name, text) -> members.add("\"" + name + "\": " + text));
    return "{" + String.join(", ", members) + "}";
  }

  @Test
  void pathsMethodsAndHeadersThatAreNotOurs() throws Exception {
    for (String path :
        List.of(
            "/nothing",
            "/instances/a%2Fb",
            "/instances/7",
            "/operations/7",
            "/ssh-keys/x",
            "//health",
            "/models/gpuai%2Fqwen")) {
      Answer answer = client.send("GET", path, "");
      refused(answer, 404, "not_found");
    }
    refused(client.send("PUT", "/instances", "{}"), 405, "validation_failed");
    refused(client.send("DELETE", "/gpu-types", ""), 405, "validation_failed");
    refused(
        client.get("/instances/" + UUID.randomUUID() + "?include=everything"),
        400,
        "validation_failed");
    for (String accept : List.of("application/problem+json", "*/*", "text/html")) {
      assertThat(client.send("GET", "/instances", "", "Accept", accept).status()).isEqualTo(200);
    }
    Answer traced = client.send("GET", "/instances", "", "X-Request-Id", "bad id \u00e4");
    assertThat(traced.status()).isEqualTo(200);
    assertThat(traced.headers().get("x-request-id")).matches("[0-9a-f]{32}");
    rawHeaderNames();
  }

  /** Clients of HTTP/1.1 may compare names letter by letter. */
  private static void rawHeaderNames() throws Exception {
    String raw =
        new RawRequest(server.running().listeners().gpuai().port())
            .send(
                "POST /v1/instances HTTP/1.1\r\n"
                    + "Host: localhost\r\n"
                    + "Connection: close\r\n"
                    + "Authorization: Bearer "
                    + key
                    + "\r\nContent-Length: "
                    + GpuaiClient.wanted(8).length()
                    + "\r\n\r\n"
                    + GpuaiClient.wanted(8));
    assertThat(raw).startsWith("HTTP/1.1 202").contains("\r\nOperation-Id: ");
  }

  @Test
  void fiftyAtOnceWithOneKeyMakeOneInstance() throws Exception {
    HttpClient http = HttpClient.newHttpClient();
    Callable<HttpResponse<String>> call =
        () ->
            http.send(
                HttpRequest.newBuilder(URI.create(server.gpuaiUrl() + "/v1/instances"))
                    .header("Authorization", "Bearer " + key)
                    .header("Idempotency-Key", "fifty")
                    .POST(HttpRequest.BodyPublishers.ofString(GpuaiClient.wanted(8)))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    Set<String> operations = new HashSet<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        answers.add(threads.submit(call));
      }
      for (Future<HttpResponse<String>> answer : answers) {
        assertThat(answer.get().statusCode()).isIn(202, 409);
        if (answer.get().statusCode() == 202) {
          operations.add(answer.get().body());
        }
      }
    }
    assertThat(operations).hasSize(1);
  }

  @Test
  void aKeyIsForOneRequestHoweverItIsWritten() {
    String spaced = "{ \"tier\" : \"on_demand\", \"gpu_count\" : 8, \"gpu_type\" : \"h200\" }";
    Answer first = client.post("/instances", GpuaiClient.wanted(8), "Idempotency-Key", "one");
    Answer other = client.post("/instances", spaced, "Idempotency-Key", "one");
    assertThat(other.body()).isEqualTo(first.body());
    GpuaiClient sdk = GpuaiClient.of(server, Profile.SDK, key);
    assertThat(sdk.post("/instances", spaced, "Idempotency-Key", "one").body())
        .as("both mounts share keys")
        .isEqualTo(first.body());
    refused(
        client.post("/instances", GpuaiClient.wanted(7), "Idempotency-Key", "one"),
        422,
        "idempotency_mismatch");
    refused(
        client.post("/ssh-keys", GpuaiClient.wanted(8), "Idempotency-Key", "one"),
        422,
        "idempotency_mismatch");
    String id = first.json().path("resource_id").asText();
    refused(
        client.delete("/instances/" + id, "Idempotency-Key", "one"), 422, "idempotency_mismatch");
    refused(
        client.post("/instances", GpuaiClient.wanted(8), "Idempotency-Key", "k".repeat(256)),
        422,
        "validation_failed");
    Answer unknown =
        client.post("/instances", with("gpu_type", "\"h900\""), "Idempotency-Key", "kept");
    refused(unknown, 422, "invalid_gpu_type");
    assertThat(
            client
                .post("/instances", with("gpu_type", "\"h900\""), "Idempotency-Key", "kept")
                .json()
                .path("code"))
        .isEqualTo(unknown.json().path("code"));
    refused(
        client.post("/instances", GpuaiClient.wanted(8), "Idempotency-Key", "kept"),
        422,
        "idempotency_mismatch");
  }

  @Test
  void whoHasNoSshKeyCannotGetInAndIsToldSo() {
    String admin = server.token("dev-admin", "admin123");
    String foreign =
        server
            .call("POST", "/api/v1/api-keys", admin, "{\"name\": \"keyless\"}")
            .json()
            .path("key")
            .asText();
    Answer answer = client.withKey(foreign).post("/instances", GpuaiClient.wanted(1));
    refused(answer, 422, "validation_failed");
    assertThat(answer.json().path("detail").asText()).contains("POST /ssh-keys");
  }
}
