package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the API's document prints, run as it stands there, with curl, jq and bash: only hosts, ports
 * and the key's id are replaced.
 */
class DocumentScenarioTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String LOGIN =
      """
      TOKEN=$(curl -s -X POST http://localhost:8080/realms/gpuaas/protocol/openid-connect/token \\
        -d "grant_type=password" \\
        -d "client_id=gpuaas-api" \\
        -d "client_secret=dev-client-secret" \\
        -d "username=dev-user" \\
        -d "password=dev123" | jq -r .access_token)
      """;
  private static final String ME =
      """
      curl -sH "Authorization: Bearer $TOKEN" http://localhost:8443/api/v1/me | jq .
      """;
  private static final String CATALOG =
      """
      curl -s "https://api.gpuaas.example.com/api/v1/catalog" \\
        -H "Authorization: Bearer $TOKEN" \\
        -H "X-Correlation-Id: my-trace-001"
      """;
  private static final String CREATE =
      """
      curl -s -X POST "https://api.gpuaas.example.com/api/v1/allocations" \\
        -H "Authorization: Bearer $TOKEN" \\
        -H "Content-Type: application/json" \\
        -H "X-Idempotency-Key: my-run-001" \\
        -d '{
          "sku": "h200-sxm-slice",
          "gpus_total": 1,
          "region_code": "us-buffalo-1",
          "ssh_key_ids": ["7f2e..."]
        }'
      """;
  private static final String ASSERT =
      """
      ASSERTION=$(python3 -c "
      import jwt, time
      payload = {
        'iss': 'sa-1234', 'sub': 'sa-1234',
        'aud': 'gpuaas-api',
        'iat': int(time.time()),
        'exp': int(time.time()) + 60,
        'kid': 'key-2024-01'
      }
      key = open('/etc/gpuaas/sa.key').read()
      print(jwt.encode(payload, key, algorithm='RS256', headers={'kid': 'key-2024-01'}))
      ")
      """;
  private static final String EXCHANGE =
      """
      TOKEN=$(curl -s -X POST https://api.gpuaas.example.com/api/v1/auth/sa/token \\
        -H 'Content-Type: application/json' \\
        -d "{\\"sa_id\\":\\"sa-1234\\",\\"assertion\\":\\"$ASSERTION\\"}" \\
        | jq -r .access_token)
      """;
  private static final String RETRY =
      """
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

  private static TestServer server;
  private static String token;
  private static String keyId;
  private static Path privateKey;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = run(LOGIN + "echo $TOKEN").strip();
    KeyPairs.Pair pair = KeyPairs.make("document");
    keyId = server.addKey(token, pair.publicKey().line());
    privateKey = Shell.keyFile(server.data(), pair);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String run(String snippet) throws Exception {
    String script =
        snippet
            .replace("http://localhost:8080", server.idpUrl())
            .replace("http://localhost:8443", server.apiUrl())
            .replace("https://api.gpuaas.example.com", server.apiUrl())
            .replace("/etc/gpuaas/sa.key", server.data().resolve("sa.key").toString())
            .replace("7f2e...", String.valueOf(keyId));
    Shell.Ran ran =
        Shell.bash(
            // Python as the distribution has it, with the packages that ./dev installs.
            "set -o pipefail; PATH=/usr/bin:$PATH\n" + script,
            Map.of("TOKEN", String.valueOf(token), "URL", server.apiUrl() + "/api/v1/catalog"));
    assertThat(ran.exit()).as(script + ran.err()).isZero();
    return ran.out();
  }

  private static JsonNode json(String snippet) throws Exception {
    return JSON.readTree(run(snippet));
  }

  @Test
  void devLoginAndMe() throws Exception {
    JsonNode me = json(LOGIN + ME);
    assertThat(me.path("username").asText()).isEqualTo("dev-user");
    assertThat(me.path("roles")).hasSize(1);
    JsonNode admin =
        json(LOGIN.replace("dev-user", "dev-admin").replace("dev123", "admin123") + ME);
    assertThat(admin.path("roles").valueStream().map(JsonNode::asText))
        .containsExactlyInAnyOrder("user", "admin");
  }

  @Test
  void catalog() throws Exception {
    JsonNode items = json(CATALOG).path("items");
    assertThat(items.findValuesAsText("sku")).contains("h200-sxm-slice");
    assertThat(run(CATALOG.replace("curl -s", "curl -si")))
        .contains("X-Correlation-Id: my-trace-001");
  }

  @Test
  void aServiceAccountOfTheDocumentsNames() throws Exception {
    // The administrator chooses the ids; one pair is made here, another is brought along.
    JsonNode me = json(ME);
    String path = "/api/v1/projects/" + me.path("project_id").asText() + "/service-accounts";
    String body =
        "{\"name\": \"Nightly run\", \"sa_id\": \"sa-1234\", \"key_id\": \"key-2024-01\"}";
    Answer made = server.call("POST", path, token, body);
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    Files.writeString(
        server.data().resolve("sa.key"), made.json().path("private_key_pem").asText());
    JsonNode account = json(ASSERT + EXCHANGE + ME);
    assertThat(account.path("username").asText()).isEqualTo("sa-1234");
    assertThat(json(ASSERT + EXCHANGE + CATALOG).path("items")).isNotEmpty();

    Answer taken = server.call("POST", path, token, body.replace("Nightly", "Daily"));
    assertThat(taken.status()).isEqualTo(409);
    String odd = body.replace("sa-1234", "sa-../x").replace("key-2024-01", "a key");
    Answer refused = server.call("POST", path, token, odd.replace("Nightly", "Odd"));
    assertThat(refused.status()).isEqualTo(400);

    Files.writeString(
        server.data().resolve("sa.key"),
        Shell.bash("openssl genrsa 2048 2>/dev/null", Map.of()).out());
    String open = run("openssl rsa -in /etc/gpuaas/sa.key -pubout 2>/dev/null");
    ObjectNode brought = JSON.createObjectNode().put("name", "Theirs").put("sa_id", "sa-12345");
    brought.put("key_id", "key-2024-01").put("public_key", open);
    assertThat(server.call("POST", path, token, brought.toString()).status()).isEqualTo(201);
    JsonNode theirs = json((ASSERT + EXCHANGE).replace("sa-1234", "sa-12345") + ME);
    assertThat(theirs.path("username").asText()).isEqualTo("sa-12345");
  }

  @Test
  void anErrorIsAsPrinted() throws Exception {
    JsonNode error =
        json(
            CREATE
                .replace("us-buffalo-1", "")
                .replace("my-run-001", "my-run-002")
                .replace("-d '", "-H \"X-Correlation-Id: my-trace-002\" -d '"));
    assertThat(error.path("code").asText()).isEqualTo("validation_error");
    assertThat(error.path("message").asText()).isNotEmpty();
    assertThat(error.path("correlation_id").asText()).isEqualTo("my-trace-002");
    assertThat(error.path("details").isObject()).isTrue();
    assertThat(error.properties()).hasSize(4);
  }

  @Test
  void theRetryLoopEndsWithTheBody() throws Exception {
    assertThat(json(RETRY).path("items").isEmpty()).isFalse();
  }

  @Test
  void headAnswersAsGetDoes() throws Exception {
    // The loop reads Retry-After from a HEAD request: it must be refused as its GET is.
    String head = run("curl -sI \"$URL\" -H \"Authorization: Bearer $TOKEN\"");
    assertThat(head).startsWith("HTTP/1.1 200").contains("Content-Type: application/json");
    assertThat(run("curl -sI \"$URL\"")).startsWith("HTTP/1.1 401");
  }

  @Test
  void theWholeFlow() throws Exception {
    JsonNode created = json(CREATE);
    assertThat(created.path("status").asText()).isEqualTo("requested");
    assertThat(json(CREATE)).as("the same key again is the same answer").isEqualTo(created);
    String id = created.path("id").asText();
    String base = "https://api.gpuaas.example.com/api/v1/allocations/" + id;
    String auth = " -H \"Authorization: Bearer $TOKEN\"";
    JsonNode[] last = new JsonNode[1];
    Eventually.within(
        Duration.ofSeconds(60),
        "active",
        () -> {
          try {
            last[0] = json("curl -s " + base + auth);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
          return last[0].path("status").asText().equals("active");
        });
    JsonNode connection = last[0].path("connection");
    Shell.Ran entered = Shell.inside(connection, privateKey, "id -un; nproc");
    assertThat(entered.exit()).as(entered.err()).isZero();

    JsonNode minted = json("curl -s -X POST " + base + "/terminal-token" + auth);
    assertThat(minted.path("expires_in").asInt()).isEqualTo(300);
    assertThat(minted.path("ws_url").asText())
        .isEqualTo(server.apiUrl().replace("http", "ws") + "/ws/terminal/" + id);
    try (TerminalClient terminal =
        TerminalClient.open(minted.path("ws_url").asText(), minted.path("token").asText())) {
      assertThat(terminal.subprotocol()).isEqualTo(minted.path("token").asText());
      terminal.type("echo $((40+2))ok\r");
      terminal.until("42ok");
      String release = "curl -s -X POST " + base + "/release" + auth;
      JsonNode releasing = json(release + " -H \"X-Idempotency-Key: my-release-001\"");
      assertThat(releasing.path("status").asText()).isEqualTo("releasing");
      assertThat(terminal.closed()).isGreaterThanOrEqualTo(1000);
    }
    server.awaitStatus(token, id, "released");
    JsonNode after = json("curl -s -X POST " + base + "/terminal-token" + auth);
    assertThat(after.path("code").asText()).isEqualTo("allocation_invalid_state");
  }
}
