package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** With {@code log.format=json} all that the process writes is JSON, a line at a time. */
class JsonLogTest {

  @Test
  void everyLineIsJsonAndSaysWhatItIsOf() throws Exception {
    String id = UUID.randomUUID().toString();
    List<JsonNode> lines = new ArrayList<>();
    JsonNode me;
    // Nobody takes the spans, which is to be said among the logs, and not often.
    Map<String, String> settings =
        Map.of(
            "GPUAAS_LOG_FORMAT", "json",
            "GPUAAS_OTEL_ENDPOINT", "http://127.0.0.1:1",
            "GPUAAS_OTEL_EXPORT_EVERY", "50ms");
    try (ServerProcess server = ServerProcess.start(settings)) {
      String token = server.token();
      me = server.call("GET", "/api/v1/me", token, "").json();
      Answer answer =
          TestServer.send(
              "GET",
              server.apiUrl() + "/api/v1/allocations/" + id + "/timeline",
              Map.of("Authorization", "Bearer " + token, "X-Correlation-Id", "my-trace-001"),
              "");
      assertThat(answer.status()).isEqualTo(404);
      Path output = server.data().resolve("output");
      Eventually.within(
          Duration.ofSeconds(60),
          "the collector is missed",
          () -> text(output).contains("traces do not reach"));
      server.call("GET", "/api/v1/allocations/a%3Ac", token, "");
      assertThat(server.stop()).isTrue();
      for (String line : Files.readAllLines(output)) {
        lines.add(json(line));
      }
    }
    assertThat(lines)
        .hasSizeGreaterThan(5)
        .allSatisfy(line -> {
          assertThat(line.isObject()).isTrue();
          for (String field : List.of("timestamp", "level", "service", "message", "logger")) {
            assertThat(line.path(field).asText()).as("%s of %s", field, line).isNotBlank();
          }
        });
    JsonNode found =
        lines.stream()
            .filter(line -> line.path("correlation_id").asText().equals("my-trace-001"))
            .filter(line -> line.has("error_code"))
            .findFirst()
            .orElseThrow();
    assertThat(found.path("trace_id").asText()).matches("[0-9a-f]{32}");
    assertThat(found.path("span_id").asText()).matches("[0-9a-f]{16}");
    assertThat(lines.stream().filter(line -> line.toString().contains("traces do not reach")))
        .hasSize(1)
        .allSatisfy(line -> assertThat(line.path("level").asText()).isEqualTo("WARN"));
    assertThat(lines.toString()).doesNotContain("opentelemetry");
    String tenant = me.path("tenant_id").asText();
    String project = me.path("project_id").asText();
    assertThat(found.path("service").asText()).isEqualTo("gpuaas-api");
    assertThat(found.path("error_code").asText()).isEqualTo("allocation_not_found");
    assertThat(found.path("org_id").asText()).isEqualTo(tenant);
    assertThat(found.path("project_id").asText()).isEqualTo(project);
    assertThat(found.path("resource_name").asText())
        .isEqualTo("gpuaas:cloud:global:" + tenant + ":" + project + ":gpuaas/allocation:" + id);
    assertThat(lines.toString()).contains("gpuaas/allocation:a%3Ac");
    assertThat(lines.toString()).contains("GPUaaS is ready.", "environments go on running");
  }

  private static JsonNode json(String line) {
    try {
      return new ObjectMapper().readTree(line);
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + line, e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
