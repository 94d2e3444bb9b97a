package gpuaas.idp;

import gpuaas.spi.Eventually;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real Keycloak on loopback, with a realm of ours, that forgets everything when it stops. */
final class Keycloak implements AutoCloseable {

  // The first start in a new folder builds it, which takes a minute of a processor.
  private static final Duration START = Duration.ofMinutes(5);

  private final Process process;
  private final String url;

  private Keycloak(Process process, String url) {
    this.process = process;
    this.url = url;
  }

  /** Where {@code ./dev test} and {@code ./dev check} put it. */
  private static Path folder() throws IOException {
    Map<String, String> environment = System.getenv();
    Path cache =
        Path.of(
            environment.getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache"),
            "gpuaas");
    try (Stream<Path> all = Files.isDirectory(cache) ? Files.list(cache) : Stream.empty()) {
      return all.filter(path -> path.getFileName().toString().matches("keycloak-[0-9.]+"))
          .sorted()
          .toList()
          .getLast();
    } catch (java.util.NoSuchElementException e) {
      throw new AssertionError("no Keycloak in " + cache + ": ./dev test fetches it", e);
    }
  }

  static Keycloak start() throws IOException {
    Path folder = folder();
    Path imports = Files.createDirectories(folder.resolve("data/import"));
    Files.copy(
        Path.of("src/test/resources/keycloak/gpuaas-realm.json"),
        imports.resolve("gpuaas-realm.json"),
        StandardCopyOption.REPLACE_EXISTING);
    String port = LogInClient.freePort();
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    folder.resolve("bin/kc.sh").toString(),
                    "start-dev",
                    "--import-realm",
                    "--db=dev-mem",
                    "--cache=local",
                    "--http-host=127.0.0.1",
                    "--http-port=" + port))
            .redirectErrorStream(true)
            .redirectOutput(Path.of("target", "keycloak.log").toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m");
    Files.createDirectories(Path.of("target"));
    Keycloak keycloak = new Keycloak(builder.start(), "http://127.0.0.1:" + port);
    try {
      Eventually.within(START, "Keycloak answers", keycloak::answers);
    } catch (AssertionError | RuntimeException e) {
      keycloak.close();
      throw e;
    }
    return keycloak;
  }

  private boolean answers() {
    if (!process.isAlive()) {
      throw new AssertionError("Keycloak ended; see target/keycloak.log");
    }
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(issuer() + "/.well-known/openid-configuration"))
              .timeout(Duration.ofSeconds(5))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Of our realm. */
  String issuer() {
    return url + "/realms/gpuaas";
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
