package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.gpuaas.Shell;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How people come in: by the built-in STS of development mode, with what the documents send. */
class LogInScenarioTest {

  private static final String SAMPLE_ID = "AKIAIOSFODNN7EXAMPLE";
  private static final String SAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

  /** The document's quick start, with the address of this server. */
  private static final String QUICK_START =
      """
      eval $(cloud_corp aws get-credentials fbossci --role SSOCloudDevGpuReservation --output cli)
      RESPONSE=$(curl -s -X POST "$API_URL/v1/auth/aws-login" \\
        -H "Content-Type: application/json" \\
        -d "{
          \\"aws_access_key_id\\": \\"$AWS_ACCESS_KEY_ID\\",
          \\"aws_secret_access_key\\": \\"$AWS_SECRET_ACCESS_KEY\\",
          \\"aws_session_token\\": \\"$AWS_SESSION_TOKEN\\"
        }")
      API_KEY=$(echo "$RESPONSE" | jq -r .api_key)
      echo "API Key: ${API_KEY:0:8}..."
      JOB_RESPONSE=$(curl -s -X POST "$API_URL/v1/jobs/submit" \\
        -H "Authorization: Bearer $API_KEY" \\
        -H "Content-Type: application/json" \\
        -d '{
          "image": "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime",
          "instance_type": "p5.48xlarge",
          "duration_hours": 4
        }')
      JOB_ID=$(echo "$JOB_RESPONSE" | jq -r .job_id)
      echo "Job ID: $JOB_ID"
      curl -s "$API_URL/v1/jobs/$JOB_ID" \\
        -H "Authorization: Bearer $API_KEY" | jq .
      """;

  @TempDir private Path folder;

  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server =
        TestServer.start(
            Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local", "GPUAAS_PROVIDER_LOCAL_GPUS", "8xH100"));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Answer logIn(String id, String secret, String more) {
    String body =
        "{\"aws_access_key_id\": \""
            + id
            + "\", \"aws_secret_access_key\": \""
            + secret
            + "\""
            + more
            + "}";
    return TestServer.send(
        "POST",
        server.gpudevUrl() + "/v1/auth/aws-login",
        Map.of("Content-Type", "application/json"),
        body);
  }

  @Test
  void theQuickStartOfTheDocument() throws Exception {
    Path tools = Files.createDirectory(folder.resolve("bin"));
    Path tool =
        Files.writeString(
            tools.resolve("cloud_corp"),
            "#!/bin/sh\necho export AWS_ACCESS_KEY_ID="
                + SAMPLE_ID
                + " AWS_SECRET_ACCESS_KEY="
                + SAMPLE_SECRET
                + "\n");
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwx------"));
    Shell.Ran ran =
        Shell.bash(
            QUICK_START,
            Map.of("API_URL", server.gpudevUrl(), "PATH", tools + ":" + System.getenv("PATH")));
    assertThat(ran.exit()).as(ran.toString()).isZero();
    assertThat(ran.out()).containsPattern("API Key: [A-Za-z0-9_-]{8}\\.\\.\\.\n");
    JsonNode job = new ObjectMapper().readTree(ran.out().substring(ran.out().indexOf('{')));
    assertThat(job.path("status").asText()).isIn("queued", "preparing", "active");
    assertThat(job.path("gpu_type").asText()).isEqualTo("h100");
    assertThat(job.path("user_id").asText()).isEqualTo("dev-user");
    assertThat(job.path("instance_type").asText()).isEqualTo("p5.48xlarge");
    assertThat(job.path("duration_hours").asDouble()).isEqualTo(4.0);
  }

  @Test
  void whatComesBack() {
    Answer in = logIn(SAMPLE_ID, SAMPLE_SECRET, ", \"aws_session_token\": null");
    assertThat(in.status()).as(in.toString()).isEqualTo(200);
    JsonNode body = in.json();
    assertThat(body.path("api_key").asText()).hasSize(86);
    assertThat(body.path("key_prefix").asText()).hasSize(8);
    assertThat(body.path("user_id").isInt()).isTrue();
    assertThat(body.path("username").asText()).isEqualTo("dev-user");
    assertThat(body.path("aws_arn").asText())
        .endsWith(":assumed-role/SSOCloudDevGpuReservation/dev-user");
    assertThat(body.path("expires_at").asText()).endsWith("Z");
    assertThat(body.path("ttl_hours").asInt()).isEqualTo(2);
  }

  @Test
  void whoIsNotLetIn() {
    Answer unknown = logIn("AKIAIOSFODNN7UNKNOWN", SAMPLE_SECRET, "");
    assertThat(unknown.status()).isEqualTo(401);
    assertThat(unknown.json().path("detail").asText()).isEqualTo("Invalid AWS credentials");
    Answer wrong = logIn(SAMPLE_ID, SAMPLE_SECRET.replace('w', 'v'), "");
    assertThat(wrong.status()).isEqualTo(401);
    assertThat(wrong.json().path("detail").asText()).isEqualTo("AWS signature verification failed");
    // What was sent of secrets never comes back.
    Answer bad = logIn("short", "alsoshort", "");
    assertThat(bad.status()).isEqualTo(422);
    assertThat(bad.json().path("detail").size()).isEqualTo(2);
    assertThat(bad.body()).doesNotContain("alsoshort").doesNotContain("\"short\"");
    Answer missing =
        TestServer.send(
            "POST",
            server.gpudevUrl() + "/v1/auth/aws-login",
            Map.of("Content-Type", "application/json"),
            "{\"aws_secret_access_key\": \"" + SAMPLE_SECRET + "\"}");
    assertThat(missing.status()).isEqualTo(422);
    assertThat(missing.body()).doesNotContain(SAMPLE_SECRET);
    Answer oidc =
        TestServer.send(
            "POST",
            server.gpudevUrl() + "/v1/auth/oidc-login",
            Map.of("Content-Type", "application/json"),
            "{\"id_token\": \"x.y.z\"}");
    assertThat(oidc.status()).isEqualTo(404);
  }
}
