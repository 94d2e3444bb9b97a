package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.gpuaas.Shell;
import gpuaas.lease.LeaseState.Running;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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

  private final Map<String, String> settings =
      new HashMap<>(
          Map.of("GPUAAS_PROVIDER_LOCAL_TYPE", "local", "GPUAAS_JUPYTER_WATCH_EVERY", "1s"));
  private Path data;
  private DatabaseSettings database;
  private TestServer server;
  private String key;

  @BeforeEach
  void start() throws Exception {
    data = Files.createTempDirectory("gpuaas-jupyter");
    database = TestDatabase.settings();
    server = open();
    key = server.apiKey("full_access");
  }

  private TestServer open() throws Exception {
    return TestServer.start(data, Database.open(database), settings);
  }

  @AfterEach
  void stop() throws Exception {
    var running = server.running();
    running.leases().endAll(Duration.ofSeconds(30));
    server.close();
    Shell.bash("rm -rf --one-file-system " + data, Map.of());
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
    Eventually.within(SOON, "Jupyter has an address", () -> !job(id).path("jupyter_url").isNull());
    return job(id).path("jupyter_url").asText();
  }

  private void await(String id, String status) {
    Eventually.within(
        SOON, "the job is " + status, () -> job(id).path("status").asText().equals(status));
  }

  /** Runs a line inside, as its user would; what it wrote. */
  private String inside(String id, String line) {
    InstanceRef instance =
        ((Running) server.running().leases().find(UUID.fromString(id)).orElseThrow().state())
            .instance();
    HasExec exec = server.running().providers().ability(instance, HasExec.class).orElseThrow();
    ExecRequest request =
        new ExecRequest(List.of("/bin/sh", "-c", line), Optional.empty(), Map.of());
    try (ExecChannel channel = exec.exec(instance, request)) {
      return new String(channel.output().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String tree(String url) {
    return url.replace("/?", "/tree?");
  }

  private static Answer get(String url, String... headers) {
    Map<String, String> all = new HashMap<>();
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return TestServer.send("GET", url, all, "");
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
      Eventually.within(
          SOON, "the notebook is kept", () -> browser.getPageSource().contains("Untitled.ipynb"));
    } finally {
      browser.quit();
    }
  }

  @Test
  void itOutlivesItsOwnEndAndThatOfTheServer() throws Exception {
    // Enabled while the job runs; killed inside; then under another server; and gone with the job.
    String id = submit("");
    await(id, "active");
    assertThat(job(id).path("jupyter_enabled").asBoolean()).isFalse();
    fine("POST", "/v1/jobs/" + id + "/jupyter/enable", "");
    String url = awaitUrl(id);
    assertThat(get(tree(url)).status()).as("it answers when it is shown").isEqualTo(200);
    String first = inside(id, "cat /tmp/gpuaas-jupyter/number");
    assertThat(inside(id, "kill -9 " + first + "; echo done")).isEqualTo("done");
    Eventually.within(
        SOON,
        "another one is there",
        () ->
            !inside(id, "cat /tmp/gpuaas-jupyter/number").equals(first)
                && get(tree(url)).status() == 200);
    assertThat(awaitUrl(id)).isEqualTo(url);
    String second = inside(id, "cat /tmp/gpuaas-jupyter/number");

    settings.put("GPUAAS_PROXY_PORT", Integer.toString(server.running().proxy().port()));
    server.close();
    server = open();
    assertThat(awaitUrl(id)).isEqualTo(url);
    assertThat(get(tree(url)).status()).isEqualTo(200);
    assertThat(inside(id, "cat /tmp/gpuaas-jupyter/number")).isEqualTo(second);

    fine("POST", "/v1/jobs/" + id + "/cancel", "");
    await(id, "cancelled");
    Eventually.within(SOON, "nothing is kept", () -> get(tree(url)).status() == 404);
    assertThat(job(id).path("jupyter_url").isNull()).isTrue();
    // Only what is active does something; the answer is the same.
    fine("POST", "/v1/jobs/" + id + "/jupyter/enable", "");
    assertThat(job(id).path("jupyter_enabled").asBoolean()).isFalse();
  }

  @Test
  void portsOfAJob() throws Exception {
    // Declared at submission and later; each with an address that opens it.
    String id = submit(", \"PORTS\": \"6006, 8000\"");
    await(id, "active");
    JsonNode ports = job(id).path("ports");
    assertThat(ports.findValuesAsText("port")).containsExactly("6006", "8000");
    JsonNode declared = fine("POST", "/v1/jobs/" + id + "/ports", "{\"port\": 7777}");
    String url = declared.path("url").asText();
    assertThat(get(url, "Accept", "text/html").headers().get("location")).doesNotContain("token");
    String bare = url.substring(0, url.indexOf('?'));
    String token = "Bearer " + url.substring(url.indexOf('=') + 1);
    assertThat(get(bare, "Authorization", token).status()).isEqualTo(502);
    inside(
        id,
        "mkdir -p /tmp/w; cd /tmp/w; echo hello > a.txt; setsid python3 -m http.server 7777 --bind"
            + " 127.0.0.1 > /dev/null 2>&1 < /dev/null &");
    Eventually.within(
        SOON, "it listens", () -> get(bare + "a.txt", "Authorization", token).status() == 200);
    assertThat(get(bare + "a.txt", "Authorization", token).body()).isEqualTo("hello\n");
    assertThat(get(bare + "a.txt").status()).isEqualTo(401);
    assertThat(server.running().leases().find(UUID.fromString(id))).isPresent();

    fine("DELETE", "/v1/jobs/" + id + "/ports/7777", "");
    assertThat(get(bare + "a.txt", "Authorization", token).status()).isEqualTo(404);
    assertThat(fine("GET", "/v1/jobs/" + id + "/ports", "").path("ports")).hasSize(2);
    Map<String, String> headers =
        Map.of("Authorization", "Bearer " + key, "Content-Type", "application/json");
    String path = server.gpudevUrl() + "/v1/jobs/" + id + "/ports";
    for (String wrong :
        List.of(
            "{}",
            "{\"port\": 0}",
            "{\"port\": 70000}",
            "{\"port\": \"x\"}",
            "{\"port\": 80, \"strip_prefix\": \"yes\"}")) {
      assertThat(TestServer.send("POST", path, headers, wrong).status()).as(wrong).isEqualTo(422);
    }
    assertThat(TestServer.send("DELETE", path + "/7777", headers, "").status()).isEqualTo(404);
    String unknown = server.gpudevUrl() + "/v1/jobs/" + UUID.randomUUID() + "/jupyter/enable";
    assertThat(TestServer.send("POST", unknown, headers, "").status()).isEqualTo(404);
  }

  @Test
  void whatStandsInItsWayIsSaid() {
    // Its port is another program's: the job says so, and it comes up by itself when that ends.
    String id = submit("");
    await(id, "active");
    inside(
        id,
        "cd /tmp; setsid python3 -m http.server 8888 --bind 127.0.0.1 > /dev/null 2>&1 < /dev/null"
            + " & echo $! > /tmp/other; sleep 1");
    fine("POST", "/v1/jobs/" + id + "/jupyter/enable", "");
    Eventually.within(
        SOON,
        "the job says what is wrong",
        () -> job(id).path("jupyter_error").asText().contains("8888"));
    JsonNode job = job(id);
    assertThat(job.path("jupyter_enabled").asBoolean()).isTrue();
    assertThat(job.path("jupyter_url").isNull()).isTrue();
    inside(id, "kill $(cat /tmp/other)");
    assertThat(get(tree(awaitUrl(id))).status()).isEqualTo(200);
    assertThat(job(id).has("jupyter_error")).isFalse();
  }
}
