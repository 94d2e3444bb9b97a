package gpuaas.gpuaas;

import static gpuaas.gpuaas.Envelope.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is asked for in a body, what is not right is refused in words, and leaves nothing. */
class HostileBodyTest {

  private static final String PATH = "/api/v1/allocations";
  private static final String GOOD =
      """
      {"sku": "h200-sxm-slice", "gpus_total": 1, "region_code": "us-buffalo-1", "ssh_key_ids": []}\
      """;

  private static TestServer server;
  private static String token;
  private static String foreignKey;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
    String admin = server.token("dev-admin", "admin123");
    foreignKey = server.addKey(admin, KeyPairs.make("foreign").publicKey().line());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void nothingIsLeftBehind() {
    for (String table : List.of("lease", "gpu_claim", "work", "idempotency", "event")) {
      int rows =
          server
              .running()
              .database()
              .read(tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
      assertThat(rows).as(table).isZero();
    }
  }

  static Stream<Arguments> bodies() {
    List<Arguments> all = new ArrayList<>();
    for (String unreadable :
        List.of(
            "",
            " ",
            "null",
            "true",
            "17",
            "\"text\"",
            "[]",
            "[" + GOOD + "]",
            GOOD.substring(0, GOOD.length() - 1),
            GOOD + GOOD,
            GOOD + "x",
            "{'sku': 1}",
            "{\"sku\": NaN}",
            "{\"sku\": \"a\", \"sku\": \"b\"}",
            "sku=h200-sxm-slice&gpus_total=1",
            "<allocation/>",
            "\u0000\u0001\u0002",
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            "{\"sku\": " + "9".repeat(5000) + "}")) {
      all.add(arguments(unreadable, 400, "invalid_request", ""));
    }
    for (String count :
        List.of(
            "0",
            "-1",
            "\"1\"",
            "1.5",
            "1.0",
            "1e99",
            "1e0",
            "null",
            "[1]",
            "{}",
            "true",
            "99999999999")) {
      all.add(arguments(with("gpus_total", count), 400, "validation_error", "gpus_total"));
    }
    for (String count : List.of("3", "9", "1024")) {
      all.add(arguments(with("gpus_total", count), 409, "sku_unavailable", ""));
    }
    for (String sku :
        List.of(
            "\"no-such-sku\"",
            "\"\"",
            "1",
            "null",
            "[\"h200-sxm-slice\"]",
            "\"a\\u0000b\"",
            "\"a\\ud800b\"",
            "\"" + "x".repeat(64) + "\"")) {
      all.add(arguments(with("sku", sku), 400, "validation_error", "sku"));
    }
    for (String region : List.of("\"\"", "7", "{}", "null")) {
      all.add(arguments(with("region_code", region), 400, "validation_error", "region_code"));
    }
    all.add(arguments(with("region_code", "\"nowhere\""), 409, "sku_unavailable", ""));
    for (String keys : List.of("\"7f2e\"", "{}", "1", "[" + "\"7f2e\",".repeat(51) + "1]")) {
      all.add(arguments(with("ssh_key_ids", keys), 400, "validation_error", "ssh_key_ids"));
    }
    for (String key : List.of("\"7f2e...\"", "1", "null", "\"\"", "\"1-1-1-1-1\"", "[]")) {
      all.add(
          arguments(
              with("ssh_key_ids", "[" + key + "]"), 400, "validation_error", "ssh_key_ids[0]"));
    }
    all.add(
        arguments(
            with("ssh_key_ids", "[\"" + new UUID(1, 2) + "\"]"),
            400,
            "validation_error",
            "ssh_key_ids[0]"));
    all.add(
        arguments(
            with("ssh_key_ids", "[\"" + foreignKey + "\"]"),
            400,
            "validation_error",
            "ssh_key_ids[0]"));
    all.add(arguments(with("image", "7"), 400, "validation_error", "image"));
    for (String missing : List.of("sku", "gpus_total", "region_code")) {
      String body = GOOD.replace("\"" + missing + "\"", "\"other\"");
      all.add(arguments(body, 400, "validation_error", missing));
    }
    return all.stream();
  }

  private static String with(String field, String value) {
    return "{\""
        + field
        + "\": "
        + value
        + ", "
        + GOOD.replaceAll("\"" + field + "\": [^,}]*, |, \"" + field + "\": [^,}]*", "")
            .substring(1);
  }

  @ParameterizedTest
  @MethodSource("bodies")
  void noBodyIsTakenThatIsNotRight(String body, int status, String code, String field) {
    Answer answer = refused(server.call("POST", PATH, token, body, "X-Idempotency-Key", "hostile"));
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.json().path("code").asText()).isEqualTo(code);
    if (!field.isEmpty()) {
      assertThat(answer.json().path("details").has(field)).as(answer.body()).isTrue();
    }
  }
}
