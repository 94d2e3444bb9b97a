package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.db.Database;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;

/** Jupyter in a real environment, opened in a real browser through the proxy. */
class JupyterScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(90);

  @TempDir private Path folder;

  private Database database;
  private TestServer server;
  private String key;

  @BeforeEach
  void start() throws Exception {
    server = open();
    key = server.apiKey("full_access");
  }

  private TestServer open() throws Exception {
    return TestServer.start(
        Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local", "GPUAAS_JUPYTER_WATCH_EVERY", "1s"));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private JsonNode fine(String method, String path, String body) {
    Map<String, String> headers = new HashMap<>(Map.of("Authorization", "Bearer " + key));
    if (!body.isEmpty()) {
      headers.put("Content-Type", "application/json");
    }
    Answer answer = TestServer.send(method, server.gpudevUrl() + path, headers, body);
    GpudevContract.check(method, path, answer);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json();
  }

  private JsonNode job(String id) {
    return fine("GET", "/v1/jobs/" + id, "");
  }

  private String submit(String more) {
    String id = UUID.randomUUID().toString();
    fine(
        "POST",
        "/v1/jobs/submit",
        "{\"image\": \"any\", \"instance_type\": \"p5e.48xlarge\", \"duration_hours\": 1,"
            + " \"env_vars\": {\"RESERVATION_ID\": \""
            + id
            + "\", \"GPU_TYPE\": \"h200\""
            + more
            + "}}");
    return id;
  }

  private String awaitUrl(String id) {
    long begin = System.nanoTime();
    Eventually.within(
        SOON,
        "Jupyter has an address",
        () -> !job(id).path("jupyter_url").isNull() || fails(job(id)));
    System.out.println(
        "jupyter_url after " + Duration.ofNanos(System.nanoTime() - begin).toMillis() + " ms");
    return job(id).path("jupyter_url").asText();
  }

  private static boolean fails(JsonNode job) {
    if (job.has("jupyter_error")) {
      System.out.println(job.path("jupyter_error").asText());
    }
    return false;
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
        "--window-size=1200,800");
    return new ChromeDriver(
        new ChromeDriverService.Builder()
            .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile())
            .build(),
        options);
  }

  @Test
  void aCellIsExecutedInABrowser() throws Exception {
    // Asked for at submission; the notebook's kernel speaks by WebSocket through the proxy.
    String id = submit(", \"JUPYTER_ENABLED\": \"true\"");
    String url = awaitUrl(id);
    JsonNode job = job(id);
    assertThat(job.path("jupyter_enabled").asBoolean()).isTrue();
    assertThat(url).endsWith("?token=" + job.path("jupyter_token").asText());
    assertThat(job.path("jupyter_port").asInt()).isEqualTo(8888);
    assertThat(job.has("jupyter_error")).isFalse();

    ChromeDriver browser = browser();
    try {
      browser.get(url);
      Eventually.within(SOON, "the tree is shown", () -> browser.getTitle().contains("Home Page"));
      String base = url.substring(0, url.indexOf('?'));
      Object made =
          browser.executeAsyncScript(
              """
              const done = arguments[arguments.length - 1];
              const xsrf = (document.cookie.match(/_xsrf=([^;]+)/) || [])[1];
              fetch('%sapi/contents', {method: 'POST', headers: {'X-XSRFToken': xsrf},
                body: JSON.stringify({type: 'notebook'})}).then(r => r.json()).then(n => done(n.path));
              """
                  .formatted(base));
      browser.get(base + "notebooks/" + made);
      Eventually.within(
          SOON,
          "the kernel is there",
          () ->
              !browser
                  .findElements(By.cssSelector("#kernel_indicator_icon.kernel_idle_icon"))
                  .isEmpty());
      browser.findElement(By.cssSelector(".input .CodeMirror")).click();
      new Actions(browser)
          .sendKeys("6*7")
          .keyDown(Keys.CONTROL)
          .sendKeys(Keys.ENTER)
          .keyUp(Keys.CONTROL)
          .perform();
      Eventually.within(
          SOON,
          "the cell is executed",
          () ->
              browser.findElements(By.cssSelector(".output_result")).stream()
                  .anyMatch(output -> output.getText().contains("42")));
      Path picture = Path.of("target", "jupyter.png");
      Files.createDirectories(picture.toAbsolutePath().getParent());
      Files.write(picture, browser.getScreenshotAs(OutputType.BYTES));

      fine("POST", "/v1/jobs/" + id.substring(0, 8) + "/jupyter/disable", "");
      browser.get(base);
      assertThat(browser.findElement(By.tagName("h1")).getText())
          .contains("Jupyter is not enabled");
      assertThat(job(id).path("jupyter_enabled").asBoolean()).isFalse();
      assertThat(job(id).path("jupyter_url").isNull()).isTrue();

      String message =
          fine("POST", "/v1/jobs/" + id + "/jupyter/enable", "").path("message").asText();
      assertThat(message).matches("Jupyter enable request submitted \\(message ID: [0-9]+\\)");
      browser.get(awaitUrl(id));
      Eventually.within(SOON, "the tree again", () -> browser.getTitle().contains("Home Page"));
      assertThat(List.of(browser.getPageSource())).anyMatch(page -> page.contains("Untitled"));
    } finally {
      browser.quit();
    }
  }
}
