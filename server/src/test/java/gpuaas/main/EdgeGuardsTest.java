package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a listener does not let happen: endless guessing, and reads that never end. */
class EdgeGuardsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int FAILURES = 6;

  private static Answer get(String url, String key) {
    return TestServer.send("GET", url, Map.of("Authorization", "Bearer " + key), "");
  }

  @Test
  void whoeverGuessesIsNotLookedAtForAWhileOnAnyListener() throws Exception {
    try (TestServer server =
        TestServer.start(
            Map.of("GPUAAS_RATE_LIMIT_FAILED_AUTHENTICATIONS_PER_MINUTE", "" + FAILURES))) {
      String key = server.apiKey("read_only");
      String token = server.token("dev-user", "dev123");
      String instances = server.gpuaiUrl() + "/v1/instances";
      String allocations = server.apiUrl() + "/api/v1/allocations";
      for (int i = 0; i < 3 * FAILURES; i++) {
        assertThat(get(instances, key).status()).as("only failures count").isEqualTo(200);
        assertThat(TestServer.send("GET", allocations, Map.of(), "").status())
            .as("nothing was tried")
            .isEqualTo(401);
      }
      Supplier<Answer> guess = () -> get(instances, "gpuai_live_" + "a".repeat(43));
      Answer answer = guess.get();
      for (int i = 0; answer.status() == 401 && i < 10 * FAILURES; i++) {
        answer = guess.get();
      }
      assertThat(answer.status()).isEqualTo(429);
      assertThat(answer.headers().get("content-type")).startsWith("application/problem+json");
      assertThat(answer.json().path("code").asText()).isEqualTo("rate_limited");
      assertThat(Integer.parseInt(answer.headers().get("retry-after"))).isBetween(1, 60 / FAILURES);
      limitedEverywhere(server, guess, instances, allocations, key, token);
    }
  }

  /** Each listener says so in its own words; whoever waits is let in. */
  private static void limitedEverywhere(
      TestServer server,
      Supplier<Answer> guess,
      String instances,
      String allocations,
      String key,
      String token) {
    spend(guess);
    Answer gpuaas = get(allocations, token);
    assertThat(gpuaas.status()).isEqualTo(429);
    assertThat(gpuaas.json().path("code").asText()).isEqualTo("rate_limit_exceeded");
    assertThat(gpuaas.headers()).containsKey("retry-after");
    spend(guess);
    Answer logIn =
        TestServer.send(
            "POST",
            server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token",
            Map.of(),
            "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret"
                + "&username=dev-user&password=dev123");
    assertThat(logIn.status()).isEqualTo(429);
    assertThat(logIn.json().path("error").asText()).isEqualTo("slow_down");
    assertThat(logIn.headers()).containsKey("retry-after");
    Eventually.within(PATIENCE, "it is let in again", () -> get(instances, key).status() == 200);
  }

  /** What came back meanwhile is used up, so that the next request comes to nothing. */
  private static void spend(Supplier<Answer> guess) {
    Answer answer = guess.get();
    for (int i = 0; answer.status() == 401 && i < 10 * FAILURES; i++) {
      answer = guess.get();
    }
  }

  @Test
  void aReadThatTakesTooLongIsEndedAndSaysSo() throws Exception {
    // The table is locked by somebody else for as long as they like.
    Database impatient =
        Database.open(TestDatabase.settings().withStatementTimeout(Duration.ofSeconds(1)));
    try (TestServer server =
        TestServer.start(Files.createTempDirectory("gpuaas-slow"), impatient, Map.of())) {
      String key = server.apiKey("read_only");
      String token = server.token("dev-user", "dev123");
      String instances = server.gpuaiUrl() + "/v1/instances";
      assertThat(get(instances, key).status()).isEqualTo(200);
      CountDownLatch over = new CountDownLatch(1);
      CountDownLatch locked = new CountDownLatch(1);
      Thread locker =
          Thread.ofVirtual()
              .start(() ->
                  impatient.run(tx -> {
                    tx.update("lock table lease in access exclusive mode").execute();
                    locked.countDown();
                    await(over);
                  }));
      await(locked);
      Answer slow = get(instances, key);
      assertThat(slow.status()).as(slow.body()).isEqualTo(503);
      assertThat(slow.headers().get("content-type")).startsWith("application/problem+json");
      assertThat(slow.headers()).containsKey("retry-after");
      Answer other = get(server.apiUrl() + "/api/v1/allocations", token);
      assertThat(other.status()).as(other.body()).isEqualTo(503);
      assertThat(other.json().path("code").asText()).isEqualTo("upstream_error");
      over.countDown();
      locker.join();
      assertThat(get(instances, key).status()).isEqualTo(200);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
