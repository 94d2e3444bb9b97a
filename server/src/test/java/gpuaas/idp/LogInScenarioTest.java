package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import gpuaas.main.TestServer;
import gpuaas.session.LogInCodes;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** The whole way of a person, in a real browser, to a program that waits on their machine. */
class LogInScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);

  private static TestServer server;
  private static HttpServer listener;
  private static final BlockingQueue<String> CALLBACKS = new ArrayBlockingQueue<>(10);

  @BeforeAll
  static void start() throws IOException {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "1xH200", "GPUAAS_IDP_PORT", LogInClient.freePort()));
    listener = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    listener.createContext(
        "/callback",
        exchange -> {
          CALLBACKS.add(exchange.getRequestURI().toString());
          byte[] body = "You can close this window.".getBytes(UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    listener.start();
  }

  @AfterAll
  static void stop() {
    listener.stop(0);
    server.close();
  }

  private static ChromeDriver browser() {
    ChromeOptions options = new ChromeOptions();
    options.setBinary("/usr/bin/chromium");
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--window-size=1100,800");
    return new ChromeDriver(
        new ChromeDriverService.Builder()
            .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile())
            .build(),
        options);
  }

  private static void picture(ChromeDriver browser, String name) throws IOException {
    Path file = Path.of("target", name);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, browser.getScreenshotAs(OutputType.BYTES));
  }

  private static void logIn(ChromeDriver browser, String password) {
    browser.findElement(By.id("username")).clear();
    browser.findElement(By.id("username")).sendKeys("dev-user");
    browser.findElement(By.id("password")).sendKeys(password);
    browser.findElement(By.cssSelector("button")).click();
  }

  @Test
  void fromThePageToAnEndedSession() throws Exception {
    // Authorize, page, wrong password, right password, redirect, exchange, use, refresh, log out.
    LogInClient client = new LogInClient(server);
    String redirect = "http://127.0.0.1:" + listener.getAddress().getPort() + "/callback";
    JsonNode authorization =
        server
            .call(
                "GET",
                "/api/v1/auth/oidc/authorize?method=S256&redirect_uri="
                    + LogInClient.encoded(redirect)
                    + "&code_challenge="
                    + LogInCodes.challenge(LogInClient.VERIFIER),
                "",
                "")
            .json();
    ChromeDriver browser = browser();
    try {
      browser.get(authorization.path("authorize_url").asText());
      assertThat(browser.getTitle()).isEqualTo("Log in · GPUaaS");
      picture(browser, "log-in.png");
      logIn(browser, "not the password");
      Eventually.within(
          SOON,
          "the page says that it is wrong",
          () -> !browser.findElements(By.cssSelector("[role=alert]")).isEmpty());
      assertThat(browser.findElement(By.cssSelector("[role=alert]")).getText())
          .isEqualTo("The name or the password is wrong. Try again.");
      assertThat(browser.findElement(By.id("username")).getDomProperty("value"))
          .isEqualTo("dev-user");
      assertThat(browser.findElement(By.id("password")).getDomProperty("value")).isEmpty();
      picture(browser, "log-in-wrong.png");
      browser.executeCdpCommand(
          "Emulation.setDeviceMetricsOverride",
          Map.of("width", 380, "height", 760, "deviceScaleFactor", 2, "mobile", true));
      picture(browser, "log-in-narrow.png");
      Long wide =
          (Long) browser.executeScript("return document.documentElement.scrollWidth - innerWidth");
      assertThat(wide).as("nothing is cut off on the right").isLessThanOrEqualTo(0);
      logIn(browser, "dev123");
      Eventually.within(
          SOON, "the program is reached", () -> browser.getCurrentUrl().startsWith(redirect));
    } finally {
      browser.quit();
    }
    String callback = CALLBACKS.poll(10, TimeUnit.SECONDS);
    Map<String, String> query = LogInClient.query(redirect + callback.substring(9));
    assertThat(query.get("state")).isEqualTo(authorization.path("state").asText());
    JsonNode grant = client.exchange(query.get("code"), LogInClient.VERIFIER, redirect).json();
    assertThat(grant.path("token_type").asText()).isEqualTo("Bearer");
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(200);
    JsonNode next = client.refresh(grant.path("refresh_token").asText()).json();
    String token = next.path("access_token").asText();
    assertThat(client.me(token)).isEqualTo(200);
    JsonNode sessions = server.call("GET", "/api/v1/auth/sessions", token, "").json().path("items");
    assertThat(sessions).hasSize(1);
    assertThat(sessions.path(0).path("provider").asText()).isEqualTo("oidc");
    assertThat(sessions.path(0).path("current").asBoolean()).isTrue();
    assertThat(client.post("/api/v1/auth/logout", token, "").status()).isEqualTo(204);
    assertThat(client.me(token)).isEqualTo(401);
    assertThat(client.me(grant.path("access_token").asText())).isEqualTo(401);
    assertThat(client.refresh(next.path("refresh_token").asText()).status()).isEqualTo(401);
  }
}
