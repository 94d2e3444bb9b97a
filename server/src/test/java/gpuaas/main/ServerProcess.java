package gpuaas.main;

import gpuaas.main.TestServer.Answer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The whole program, as it is started in life: a process of its own, to be killed and started. */
public final class ServerProcess implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final Path data;
  private final Map<String, String> settings;
  private final int apiPort = freePort();
  private final int idpPort = freePort();
  private final int sshPort = freePort();
  private final int gpuaiPort = freePort();
  private final int gpudevPort = freePort();
  private Process process;

  /** Starts it with two small GPUs, and waits until it is ready. */
  public static ServerProcess start(Map<String, String> settings) throws IOException {
    Path data = Files.createTempDirectory("gpuaas-killed");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    ServerProcess server = new ServerProcess(data, settings);
    server.up();
    return server;
  }

  private ServerProcess(Path data, Map<String, String> settings) {
    this.data = data;
    this.settings = settings;
  }

  /** Starts it again where it was. */
  public void up() throws IOException {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    // Not the one of tests, which lies about here more than once.
    command.add("-Dlogback.configurationFile=logback.xml");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.add("up");
    Path log = data.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(all());
    process = builder.start();
    Eventually.within(
        PATIENCE,
        "the server is ready; its output is in " + log,
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("it ended with " + process.exitValue() + ": " + text(log));
          }
          return listens()
              && TestServer.send("GET", apiUrl() + "/readyz", Map.of(), "").status() == 200;
        });
  }

  private Map<String, String> all() {
    Map<String, String> all =
        new HashMap<>(
            Map.ofEntries(
                Map.entry("GPUAAS_DATA", data.toString()),
                Map.entry("GPUAAS_API_PORT", "" + apiPort),
                Map.entry("GPUAAS_IDP_PORT", "" + idpPort),
                Map.entry("GPUAAS_SSH_PORT", "" + sshPort),
                Map.entry("GPUAAS_GPUAI_PORT", "" + gpuaiPort),
                Map.entry("GPUAAS_GPUDEV_PORT", "" + gpudevPort),
                Map.entry("GPUAAS_PROXY_PORT", "0"),
                Map.entry("GPUAAS_LEASE_METER_EVERY", "1s"),
                Map.entry("GPUAAS_LEASE_WATCH_EVERY", "1s"),
                Map.entry("GPUAAS_DATABASE_SYSTEM_USER", "nobody"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB", "256"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_EGRESS", "off"),
                Map.entry("GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off")));
    all.putAll(settings);
    return all;
  }

  /** Ends it at once, by SIGKILL. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Tells it to stop; false: it does not, in good time. */
  public boolean stop() throws InterruptedException {
    process.destroy();
    return process.waitFor(60, TimeUnit.SECONDS);
  }

  public Path data() {
    return data;
  }

  public String apiUrl() {
    return "http://localhost:" + apiPort;
  }

  public String gpuaiUrl() {
    return "http://localhost:" + gpuaiPort + "/v1";
  }

  public String gpudevUrl() {
    return "http://localhost:" + gpudevPort;
  }

  /** A call of the GPUaaS API. */
  public Answer call(String method, String path, String token, String body) {
    Map<String, String> headers =
        token.isEmpty() ? Map.of() : Map.of("Authorization", "Bearer " + token);
    return TestServer.send(method, apiUrl() + path, headers, body);
  }

  /** The development user's. */
  public String token() {
    String form =
        "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret"
            + "&username=dev-user&password=dev123";
    String url = "http://localhost:" + idpPort + "/realms/gpuaas/protocol/openid-connect/token";
    return TestServer.send("POST", url, Map.of(), form).json().path("access_token").asText();
  }

  /** A new key of the development user. */
  public String apiKey() {
    return call("POST", "/api/v1/api-keys", token(), "{\"name\": \"killed\"}")
        .json()
        .path("key")
        .asText();
  }

  /** Ends it, and takes its folder away. */
  @Override
  public void close() {
    try {
      if (!stop()) {
        kill();
      }
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private boolean listens() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), apiPort)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
