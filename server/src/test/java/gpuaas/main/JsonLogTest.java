package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.main.TestServer.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
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
    try (ServerProcess server = ServerProcess.start(Map.of("GPUAAS_LOG_FORMAT", "json"))) {
      String token = server.token();
      me = server.call("GET", "/api/v1/me", token, "").json();
      Answer answer =
          TestServer.send(
              "GET",
              server.apiUrl() + "/api/v1/allocations/" + id + "/timeline",
              Map.of("Authorization", "Bearer " + token, "X-Correlation-Id", "my-trace-001"),
              "");
      assertThat(answer.status()).isEqualTo(404);
      server.call("GET", "/api/v1/allocations/a%3Ac", token, "");
      assertThat(server.stop()).isTrue();
      Path output = server.data().resolve("output");
      for (String line : Files.readAllLines(output)) {
        lines.add(new ObjectMapper().readTree(line));
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
}
