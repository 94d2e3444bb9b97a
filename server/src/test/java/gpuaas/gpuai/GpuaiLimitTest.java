package gpuaas.gpuai;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is allowed so often, and no more; and what money allows. */
class GpuaiLimitTest {

  @Test
  void tooManyRequestsAreToldWhenToComeAgain() throws Exception {
    try (TestServer server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "1",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "3"))) {
      GpuaiClient client = GpuaiClient.of(server, Profile.SDK, server.apiKey("read_only"));
      List<Integer> statuses = new ArrayList<>();
      Answer last = client.get("/instances");
      for (int i = 0; last.status() == 200 && i < 10; i++) {
        statuses.add(last.status());
        last = client.get("/instances");
      }
      assertThat(statuses).hasSizeBetween(3, 9);
      assertThat(last.json().path("code").asText()).isEqualTo("rate_limited");
      assertThat(last.headers().get("retry-after")).isEqualTo("1");
      assertThat(client.withKey("").get("/health").status())
          .as("an address by itself")
          .isEqualTo(200);
      GpuaiClient again = client;
      Eventually.within(
          Duration.ofSeconds(20),
          "it is let in again",
          () -> again.get("/instances").status() == 200);
    }
  }

  @Test
  void whoHasTooLittleMoneyIsRefusedAndNothingIsHeld() throws Exception {
    // Two GPUs at 4.5 dollars an hour need 9 dollars set aside for the first hour.
    try (TestServer server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200",
                "GPUAAS_LEDGER_MODE", "prepaid",
                "GPUAAS_LEDGER_STARTING_CREDIT_MICROS", "5000000"))) {
      GpuaiClient client = GpuaiClient.of(server, Profile.DOCUMENT, server.apiKey("full_access"));
      client.addSshKey(KeyPairs.make("poor").publicKey().line());
      Answer refused = client.post("/instances", GpuaiClient.wanted(2), "Idempotency-Key", "two");
      assertThat(refused.status()).as(refused.body()).isEqualTo(402);
      assertThat(refused.json().path("code").asText()).isEqualTo("insufficient_balance");
      Answer replayed = client.post("/instances", GpuaiClient.wanted(2), "Idempotency-Key", "two");
      assertThat(replayed.status()).isEqualTo(402);
      assertThat(client.get("/instances?status=all").json().path("data")).isEmpty();
      String one = client.running(1);
      assertThat(client.awaitEnd(client.delete("/instances/" + one).json()).path("state").asText())
          .isEqualTo("succeeded");
      assertThat(client.awaitEnd(client.create(1)).path("state").asText())
          .as("what was held is free again")
          .isEqualTo("succeeded");
    }
  }
}
