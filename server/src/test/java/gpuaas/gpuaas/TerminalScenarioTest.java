package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The terminal over the WebSocket, token by token and byte by byte. */
class TerminalScenarioTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CONTROL = "gpuaas.control.v1";
  private static final String LONE_SURROGATE =
      "[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]";

  private static TestServer server;
  private static String token;
  private static String keyId;
  private static Path privateKey;
  private static String allocation;
  private static JsonNode connection;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS",
                "8xH200",
                "GPUAAS_RATE_LIMIT_TERMINAL_TOKEN_REQUESTS_PER_MINUTE",
                "1000"));
    token = server.token("dev-user", "dev123");
    KeyPairs.Pair pair = KeyPairs.make("terminal");
    keyId = server.addKey(token, pair.publicKey().line());
    privateKey = Shell.keyFile(server.data(), pair);
    allocation = server.allocate(token, 1, keyId);
    connection = server.awaitStatus(token, allocation, "active").path("connection");
  }

  @AfterAll
  static void stop() {
    server.call("POST", "/api/v1/allocations/" + allocation + "/release", token, "");
    server.awaitStatus(token, allocation, "released");
    server.close();
  }

  private static Answer mint(TestServer at, String as, String id) {
    return at.call("POST", "/api/v1/allocations/" + id + "/terminal-token", as, "");
  }

  private static String mint() {
    Answer minted = mint(server, token, allocation);
    assertThat(minted.status()).as(minted.body()).isEqualTo(201);
    assertThat(minted.headers()).containsEntry("cache-control", "no-store");
    return minted.json().path("token").asText();
  }

  private static String url() {
    return server.apiUrl().replace("http", "ws") + "/ws/terminal/" + allocation;
  }

  @Test
  void charactersArriveWholeInTextFrames() {
    try (TerminalClient terminal = TerminalClient.open(url(), mint())) {
      terminal.type("printf 'ä€😀%.0s' {1..5000}; echo END$((1+1))\r");
      terminal.until("END2");
      String shown = terminal.screen();
      assertThat(shown.split("😀", -1).length - 1).isGreaterThanOrEqualTo(5000);
      assertThat(shown.replaceAll("\\s", "")).contains("ä€😀".repeat(5000));
      assertThat(shown).doesNotContain("\ufffd");
      assertThat(terminal.frames())
          .hasSizeGreaterThan(1)
          .allSatisfy(frame -> assertThat(frame).doesNotContainPattern(LONE_SURROGATE));
      assertThat(terminal.binaryFrames()).isZero();
    }
  }

  @Test
  void inputIsTextOrBinary() {
    try (TerminalClient terminal = TerminalClient.open(url(), mint())) {
      terminal.type("echo text-$((1+1))\r");
      terminal.until("text-2");
      terminal.type("echo binary-$((1+2))\r".getBytes(UTF_8));
      terminal.until("binary-3");
    }
  }

  @Test
  @DisplayName("S5: a token opens one terminal, once")
  void aTokenOpensOneTerminalOnce() {
    String once = mint();
    try (TerminalClient first = TerminalClient.open(url(), once)) {
      first.type("echo $((3*3))nine\r");
      first.until("9nine");
      try (TerminalClient second = TerminalClient.open(url(), once)) {
        assertThat(second.closed()).isEqualTo(4401);
      }
      first.type("echo still $((1+1))\r");
      first.until("still 2");
    }
  }

  @Test
  @DisplayName("S5: a token in the address opens nothing")
  void withoutATokenOrWithAWrongOneItCloses4401() {
    try (TerminalClient none = TerminalClient.openWith(url(), Map.of());
        TerminalClient wrong = TerminalClient.open(url(), "made-up");
        TerminalClient access =
            TerminalClient.openWith(url(), Map.of("Authorization", "Bearer " + token));
        TerminalClient inTheAddress =
            TerminalClient.openWith(url() + "?token=" + mint(), Map.of());
        TerminalClient nowhere = TerminalClient.open(url() + "0", mint())) {
      assertThat(none.closed()).isEqualTo(4401);
      assertThat(wrong.closed()).isEqualTo(4401);
      assertThat(access.closed()).as("an access token is not a terminal token").isEqualTo(4401);
      assertThat(inTheAddress.closed()).isEqualTo(4401);
      assertThat(nowhere.closed()).isEqualTo(4401);
    }
  }

  @Test
  void programsMaySendItAsABearerToken() {
    try (TerminalClient terminal =
        TerminalClient.openWith(url(), Map.of("Authorization", "Bearer " + mint()))) {
      terminal.type("echo $((5*5))bearer\r");
      terminal.until("25bearer");
    }
  }

  @Test
  void aTokenIsForItsAllocation() {
    String other = server.allocate(token, 1, keyId);
    server.awaitStatus(token, other, "active");
    String foreign = mint(server, token, other).json().path("token").asText();
    try (TerminalClient terminal = TerminalClient.open(url(), foreign)) {
      assertThat(terminal.closed()).isEqualTo(4401);
    }
    String url = url().replace(allocation, other);
    try (TerminalClient again = TerminalClient.open(url, foreign)) {
      assertThat(again.closed()).as("shown once, used up").isEqualTo(4401);
    }
    String good = mint(server, token, other).json().path("token").asText();
    try (TerminalClient open = TerminalClient.open(url, good, CONTROL)) {
      open.type("echo $((6*6))in\r");
      open.until("36in");
      server.call("POST", "/api/v1/allocations/" + other + "/release", token, "");
      assertThat(open.closed()).as("release closes it, in words").isEqualTo(1000);
      assertThat(open.frames().getLast()).contains("session_closed");
    }
    server.awaitStatus(token, other, "released");
  }

  @Test
  void controlFramesOnlyForWhoOffersThem() throws Exception {
    try (TerminalClient plain = TerminalClient.open(url(), mint())) {
      plain.type("exit\r");
      assertThat(plain.closed()).isEqualTo(1000);
      assertThat(plain.screen()).doesNotContain("session_ready").doesNotContain("session_closed");
    }
    String once = mint();
    try (TerminalClient control = TerminalClient.open(url(), once, CONTROL)) {
      assertThat(control.subprotocol()).isEqualTo(once);
      control.until("session_ready");
      assertThat(JSON.readTree(control.frames().getFirst()).path("type").asText())
          .isEqualTo("session_ready");
      control.type("{\"type\": \"resize\", \"cols\": 123, \"rows\": 45}");
      // A size is followed, not obeyed at once: the shell inside may be quicker.
      control.type("until [ \"$(stty size)\" = '45 123' ]; do sleep 0.05; done; echo fi''ts\r");
      control.until("fits");
      control.type("exit 7\r");
      assertThat(control.closed()).isEqualTo(1000);
      JsonNode last = JSON.readTree(control.frames().getLast());
      assertThat(last.path("type").asText()).isEqualTo("session_closed");
      assertThat(last.path("exit_code").asInt()).isEqualTo(7);
    }
    try (TerminalClient first = TerminalClient.open(url(), CONTROL, mint())) {
      first.until("session_ready"); // the order does not matter
    }
  }

  @Test
  void whoDoesNotReadIsWaitedFor() throws Exception {
    // The program inside stops at a full pipe: nothing piles up in the server.
    try (TerminalClient deaf = TerminalClient.openWithoutReading(url(), mint())) {
      deaf.type(
          "rm -f /tmp/n; while printf '%01000d\\n' 0; do n=$((n+1)); echo $n > /tmp/n; done\r");
      int[] same = {0};
      String[] seen = {""};
      Eventually.within(
          Duration.ofSeconds(60),
          "it stands still",
          () -> {
            String now = inside("cat /tmp/n 2>/dev/null").strip();
            same[0] = !now.isEmpty() && now.equals(seen[0]) ? same[0] + 1 : 0;
            seen[0] = now;
            return same[0] >= 5;
          });
      long stoodAt = Long.parseLong(seen[0]);
      assertThat(stoodAt * 1000).isLessThan(32 << 20);
      deaf.readOn();
      Eventually.within(
          Duration.ofSeconds(30),
          "it goes on",
          () -> Long.parseLong("0" + inside("cat /tmp/n").strip()) > stoodAt);
    }
  }

  @Test
  void releaseEndsAlsoWhoDoesNotRead() {
    String other = server.allocate(token, 1, keyId);
    JsonNode way = server.awaitStatus(token, other, "active").path("connection");
    String once = mint(server, token, other).json().path("token").asText();
    String url = url().replace(allocation, other);
    try (TerminalClient deaf = TerminalClient.openWithoutReading(url, once)) {
      deaf.type("touch /tmp/on; yes\r");
      String look = "until [ -e /tmp/on ]; do sleep 0.05; done; echo on";
      assertThat(inside(way, look)).contains("on");
      server.call("POST", "/api/v1/allocations/" + other + "/release", token, "");
      server.awaitStatus(token, other, "released");
      deaf.readOn();
      assertThat(deaf.closed()).isIn(1000, 1006);
    }
  }

  @Test
  void framesHaveALength() {
    try (TerminalClient terminal = TerminalClient.open(url(), mint())) {
      terminal.typeWithoutWaiting("x".repeat(2 << 20));
      assertThat(terminal.closed()).isIn(1006, 1009);
    }
    try (TerminalClient next = TerminalClient.open(url(), mint())) {
      next.type("echo $((7*7))fine\r");
      next.until("49fine");
    }
  }

  private static String inside(String command) {
    return inside(connection, command);
  }

  private static String inside(JsonNode way, String command) {
    try {
      return Shell.inside(way, privateKey, command).out();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void tokensExpireAndAreLimited() throws Exception {
    try (TestServer hasty =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200", "GPUAAS_TERMINAL_TOKEN_LIFETIME", "1ms"))) {
      String user = hasty.token("dev-user", "dev123");
      String key = hasty.addKey(user, KeyPairs.make("hasty").publicKey().line());
      String id = hasty.allocate(user, 1, key);
      hasty.awaitStatus(user, id, "active");
      String old = mint(hasty, user, id).json().path("token").asText();
      String url = hasty.apiUrl().replace("http", "ws") + "/ws/terminal/" + id;
      try (TerminalClient late = TerminalClient.open(url, old)) {
        assertThat(late.closed()).isEqualTo(4401);
      }
      for (int i = 2; i <= 10; i++) {
        assertThat(mint(hasty, user, id).status()).as("token " + i).isEqualTo(201);
      }
      Answer tooMany = mint(hasty, user, id);
      assertThat(tooMany.status()).isEqualTo(429);
      assertThat(tooMany.json().path("code").asText()).isEqualTo("rate_limit_exceeded");
      assertThat(tooMany.headers())
          .containsEntry("x-ratelimit-limit", "10")
          .containsEntry("x-ratelimit-remaining", "0");
      assertThat(Integer.parseInt(tooMany.headers().get("retry-after"))).isBetween(1, 60);
      String admin = hasty.token("dev-admin", "admin123");
      assertThat(mint(hasty, admin, id).status()).as("the limit is each user's").isEqualTo(201);
      hasty.call("POST", "/api/v1/allocations/" + id + "/release", user, "");
      hasty.awaitStatus(user, id, "released");
    }
  }
}
