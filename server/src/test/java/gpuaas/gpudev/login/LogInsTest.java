package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LogInsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PresignedRequest NOTHING = new PresignedRequest("GET", "", Map.of(), "");

  private static LogInSettings settings(
      LogInSettings.Aws aws, Optional<String> localUser, int atOnceMost) {
    return new LogInSettings(aws, Optional.empty(), Optional.empty(), localUser, atOnceMost);
  }

  @Test
  void whatIsNotOfferedSaysSo() {
    // the defaults offer the original's log-in only
    try (LogIns logIns = new LogIns(LogInSettings.defaults(), InstantSource.system())) {
      assertThat(logIns.byOidc("x"))
          .isEqualTo(new Denied(404, "OIDC authentication is not enabled"));
      assertThat(logIns.byPresigned(NOTHING))
          .isEqualTo(new Denied(404, "Log-in by pre-signed requests is not enabled"));
    }
  }

  @Test
  void theLocalUserIsWhoeverLogsIn() throws IOException {
    // with the original's name for it, and without asking anybody
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.hanging());
        LogIns logIns =
            new LogIns(
                settings(LogInFixtures.impatient(sts.endpoint()), Optional.of("jo"), 1),
                InstantSource.system())) {
      Visitor jo =
          new Visitor("jo", Optional.of("arn:aws:sts::000000000000:assumed-role/LocalDev/jo"));
      assertThat(
              List.of(
                  logIns.byAws(LogInFixtures.SAMPLE),
                  logIns.byOidc("x"),
                  logIns.byPresigned(NOTHING)))
          .containsOnly(jo);
      assertThat(sts.received()).isEmpty();
    }
  }

  @Test
  void onlySoManyWaitAtOnce() throws Exception {
    // an STS that is slow does not take all threads: the rest are told at once
    CountDownLatch asked = new CountDownLatch(2);
    CountDownLatch told = new CountDownLatch(1);
    ScriptedSts.Script slow =
        connection -> {
          asked.countDown();
          told.await(20, TimeUnit.SECONDS);
          String caller = StsXml.caller(LogInFixtures.ARN, "u", "000000000000", "r");
          ScriptedSts.answering(200, "text/xml", caller).answer(connection);
        };
    try (ScriptedSts sts = new ScriptedSts(slow);
        LogIns logIns =
            new LogIns(
                settings(LogInFixtures.patient(sts.endpoint()), Optional.empty(), 2),
                InstantSource.system());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<LogInAnswer>> waiting =
          IntStream.range(0, 2)
              .mapToObj(_ -> threads.submit(() -> logIns.byAws(LogInFixtures.SAMPLE)))
              .toList();
      assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(logIns.byAws(LogInFixtures.SAMPLE))
          .isEqualTo(new Denied(503, "Too many log-ins at once, try again in a moment"));
      told.countDown();
      for (Future<LogInAnswer> one : waiting) {
        assertThat(one.get()).isInstanceOf(Visitor.class);
      }
      assertThat(logIns.byAws(LogInFixtures.SAMPLE)).isInstanceOf(Visitor.class);
    }
  }

  @Test
  void theQuickStartScriptLogsIn() throws Exception {
    // its second step as it stands in the document, by curl, with the STS on the same listener
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    URI here = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    DevelopmentSts sts = LogInFixtures.sts(InstantSource.system());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        LogIns logIns =
            new LogIns(
                settings(
                    LogInFixtures.patient(here.resolve("/development/sts")), Optional.empty(), 8),
                InstantSource.system())) {
      server.setExecutor(threads);
      server.createContext(
          "/development/sts", exchange -> DevelopmentStsListener.answer(sts, exchange));
      server.createContext("/v1/auth/aws-login", exchange -> logIn(logIns, exchange));
      server.start();
      assertThat(quickStart(here, LogInFixtures.SAMPLE)).isEqualTo("dev-user");
      assertThat(quickStart(here, LogInFixtures.TEMPORARY)).isEqualTo("jo.doe-example.com");
      AwsCredentials wrong =
          new AwsCredentials(LogInFixtures.SAMPLE.accessKeyId(), "x".repeat(40), Optional.empty());
      assertThat(quickStart(here, wrong)).isEqualTo("AWS signature verification failed");
    } finally {
      server.stop(0);
    }
  }

  private static void logIn(LogIns logIns, HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
      AwsCredentials credentials =
          new AwsCredentials(
              body.path("aws_access_key_id").asText(),
              body.path("aws_secret_access_key").asText(),
              Optional.of(body.path("aws_session_token").asText()));
      LogInAnswer answer = logIns.byAws(credentials);
      int status = answer instanceof Denied denied ? denied.status() : 200;
      String text =
          switch (answer) {
            case Visitor visitor -> visitor.username();
            case Denied denied -> denied.detail();
          };
      byte[] reply = JSON.writeValueAsBytes(Map.of("api_key", text));
      exchange.sendResponseHeaders(status, reply.length);
      exchange.getResponseBody().write(reply);
    }
  }

  private static String quickStart(URI server, AwsCredentials credentials) throws Exception {
    String script =
        """
        RESPONSE=$(curl -s -X POST "$API_URL/v1/auth/aws-login" \\
          -H "Content-Type: application/json" \\
          -d "{
            \\"aws_access_key_id\\": \\"$AWS_ACCESS_KEY_ID\\",
            \\"aws_secret_access_key\\": \\"$AWS_SECRET_ACCESS_KEY\\",
            \\"aws_session_token\\": \\"$AWS_SESSION_TOKEN\\"
          }")
        API_KEY=$(echo "$RESPONSE" | jq -r .api_key)
        echo "$API_KEY"
        """;
    ProcessBuilder bash = new ProcessBuilder("bash", "-c", script).redirectErrorStream(true);
    bash.environment().put("API_URL", server.toString());
    bash.environment().put("AWS_ACCESS_KEY_ID", credentials.accessKeyId());
    bash.environment().put("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey());
    bash.environment().put("AWS_SESSION_TOKEN", credentials.sessionToken().orElse(""));
    Process process = bash.start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return said;
  }
}
