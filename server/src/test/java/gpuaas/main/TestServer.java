package gpuaas.main;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.spi.Eventually;
import gpuaas.spi.Provider;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;

/**
 * The whole server on ports of its own, with real PostgreSQL and real environments, and a client
 * for it.
 */
public final class TestServer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final Path data;
  private final Database database;
  private final Wiring.Running running;
  private final boolean ownsFolder;

  private TestServer(Path data, Database database, Wiring.Running running, boolean ownsFolder) {
    this.data = data;
    this.database = database;
    this.running = running;
    this.ownsFolder = ownsFolder;
  }

  /** A server with these settings on top of those for tests. */
  public static TestServer start(Map<String, String> more) throws IOException {
    return start(more, Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000)));
  }

  /** The same, with a time of its own; it must have microseconds and no less. */
  public static TestServer start(Map<String, String> more, InstantSource clock) throws IOException {
    Path data = Files.createTempDirectory("gpuaas-test-server");
    return start(data, TestDatabase.open(), more, true, clock);
  }

  /** A server over a folder and a database that may have been used before. */
  public static TestServer start(Path data, Database database, Map<String, String> more)
      throws IOException {
    InstantSource clock = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
    return start(data, database, more, false, clock);
  }

  private static TestServer start(
      Path data,
      Database database,
      Map<String, String> more,
      boolean ownsFolder,
      InstantSource clock)
      throws IOException {
    Map<String, String> environment = new HashMap<>();
    environment.put("GPUAAS_DATA", data.toString());
    environment.put("GPUAAS_API_PORT", "0");
    environment.put("GPUAAS_IDP_PORT", "0");
    environment.put("GPUAAS_SSH_PORT", "0");
    environment.put("GPUAAS_GPUAI_PORT", "0");
    environment.put("GPUAAS_GPUDEV_PORT", "0");
    environment.put("GPUAAS_PROXY_PORT", "0");
    // The RSA keys of the documents take seconds of a processor each.
    environment.put("GPUAAS_SHOPPER_SESSION_KEY_TYPE", "ed25519");
    environment.put("GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB", "256");
    environment.put("GPUAAS_PROVIDER_LOCAL_EGRESS", "off");
    environment.put("GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off");
    // Tests show many wrong keys and tokens, all from one address.
    environment.put("GPUAAS_RATE_LIMIT_FAILED_AUTHENTICATIONS_PER_MINUTE", "1000000");
    environment.putAll(more);
    Settings settings = Settings.load(environment);
    Wiring.Running running = Wiring.open(settings, database, Main::openProviders, clock);
    running.gateway().start();
    running.loops().start();
    running.workLoop().start();
    return new TestServer(data, database, running, ownsFolder);
  }

  /** The parts, for what no client can see. */
  public Wiring.Running running() {
    return running;
  }

  public Path data() {
    return data;
  }

  public String apiUrl() {
    return "http://localhost:" + running.listeners().api().port();
  }

  /** Of the GPU.ai listener; its mounts are {@code /v1} and {@code /sdk/v1}. */
  public String gpuaiUrl() {
    return "http://localhost:" + running.listeners().gpuai().port();
  }

  /** Of the Shopper listener. */
  public String gpudevUrl() {
    return "http://localhost:" + running.listeners().gpudev().port();
  }

  public String shopperUrl() {
    return "http://localhost:" + running.listeners().shopper().port();
  }

  public String idpUrl() {
    return "http://localhost:" + running.listeners().idp().port();
  }

  /** A token of one of the development users. */
  public String token(String username, String password) {
    String form =
        "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret&username="
            + username
            + "&password="
            + password;
    return send("POST", idpUrl() + "/realms/gpuaas/protocol/openid-connect/token", Map.of(), form)
        .json()
        .path("access_token")
        .asText();
  }

  /** An API key of {@code dev-user} with one scope. */
  public String apiKey(String scope) {
    String body = "{\"name\": \"test\", \"scopes\": [\"" + scope + "\"]}";
    Answer answer = call("POST", "/api/v1/api-keys", token("dev-user", "dev123"), body);
    if (answer.status() != 201) {
      throw new AssertionError("no key: " + answer);
    }
    return answer.json().path("key").asText();
  }

  /** An answer: status, headers, body. */
  public record Answer(int status, Map<String, String> headers, String body) {
    /** The body as JSON. */
    public JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError("not JSON: " + body, e);
      }
    }
  }

  /** Sends a request to the API as somebody. */
  public Answer call(String method, String path, String token, String body, String... headers) {
    Map<String, String> all = new HashMap<>();
    if (!token.isEmpty()) {
      all.put("Authorization", "Bearer " + token);
    }
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return send(method, apiUrl() + path, all, body);
  }

  /** Sends any request. */
  public static Answer send(String method, String url, Map<String, String> headers, String body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url))
            .timeout(Duration.ofSeconds(60))
            .method(method, BodyPublishers.ofString(body));
    headers.forEach(request::header);
    try {
      HttpResponse<String> response = HTTP.send(request.build(), BodyHandlers.ofString());
      Map<String, String> answered = new HashMap<>();
      response
          .headers()
          .map()
          .forEach((name, values) ->
              answered.put(name.toLowerCase(java.util.Locale.ROOT), values.getFirst()));
      return new Answer(response.statusCode(), answered, response.body());
    } catch (IOException e) {
      throw new AssertionError("no answer from " + url, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Registers a public key; its id. */
  public String addKey(String token, String publicKey) {
    String body = JSON.createObjectNode().put("title", "test").put("key", publicKey).toString();
    Answer answer = call("POST", "/api/v1/ssh-keys", token, body);
    if (answer.status() != 201) {
      throw new AssertionError("not registered: " + answer);
    }
    return answer.json().path("id").asText();
  }

  /** Asks for GPUs of the slice SKU; the allocation's id. */
  public String allocate(String token, int gpus, String keyId) {
    String body =
        "{\"sku\": \"h200-sxm-slice\", \"gpus_total\": "
            + gpus
            + ", \"region_code\": \"us-buffalo-1\", \"ssh_key_ids\": [\""
            + keyId
            + "\"]}";
    Answer answer = call("POST", "/api/v1/allocations", token, body);
    if (answer.status() != 201) {
      throw new AssertionError("not accepted: " + answer);
    }
    return answer.json().path("id").asText();
  }

  /** Waits until an allocation has a status; the allocation then. */
  public JsonNode awaitStatus(String token, String id, String status) {
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        Duration.ofSeconds(60),
        id + " is " + status,
        () -> {
          last[0] = call("GET", "/api/v1/allocations/" + id, token, "").json();
          return last[0].path("status").asText().equals(status);
        });
    return last[0];
  }

  /** Stops as SIGTERM would: environments go on running, unless nobody else knows this folder. */
  @Override
  public void close() {
    running.closeListeners();
    running.loops().close();
    running.workLoop().close();
    running.gateway().close();
    if (ownsFolder) {
      destroyEnvironments();
    }
    running.providers().close();
    database.close();
    if (ownsFolder) {
      deleteFolder();
    }
  }

  private void destroyEnvironments() {
    Provider local = running.providers().get("local");
    local.list(running.deployment()).forEach(owned -> local.destroy(owned.instance()));
  }

  private void deleteFolder() {
    try {
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
