package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.gpuaas.RawHttp.Raw;
import gpuaas.main.TestServer.Answer;
import java.util.Map;

/** The shape of every no: code, message, correlation id, details, and nothing of our inside. */
final class Envelope {

  private Envelope() {}

  private static void isEnvelope(
      int status, Map<String, String> headers, String body, JsonNode json) {
    assertThat(headers.get("content-type")).as(body).startsWith("application/json");
    assertThat(headers.get("x-correlation-id")).as("status " + status + body).isNotBlank();
    assertThat(json.propertyStream().map(Map.Entry::getKey))
        .containsExactlyInAnyOrder("code", "message", "correlation_id", "details");
    assertThat(json.path("correlation_id").asText()).isEqualTo(headers.get("x-correlation-id"));
    assertThat(json.path("details").isObject()).isTrue();
    assertThat(body)
        .doesNotContain("<html")
        .doesNotContain("Exception")
        .doesNotContain("\\tat ")
        .doesNotContain("jackson")
        .doesNotContain("gpuaas.http");
    assertThat(headers).doesNotContainKey("server");
  }

  /** The answer, if it is one. */
  static Raw refused(Raw answer) {
    isEnvelope(answer.status(), answer.headers(), answer.body(), answer.json());
    return answer;
  }

  /** The answer, if it is one. */
  static Answer refused(Answer answer) {
    isEnvelope(answer.status(), answer.headers(), answer.body(), answer.json());
    return answer;
  }
}
