package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SshGatewayPortsTest {

  private static final byte[] PAGE = new byte[5_000_000];

  static {
    new Random(9).nextBytes(PAGE);
  }

  @TempDir Path folder;
  private Lab lab;
  private HttpServer web;

  @BeforeEach
  void start() throws Exception {
    lab = new Lab(folder, settings -> settings);
    web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    web.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    web.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, PAGE.length);
          exchange.getResponseBody().write(PAGE);
          exchange.close();
        });
    web.start();
  }

  @AfterEach
  void stop() {
    web.stop(0);
    lab.close();
  }

  private int webPort() {
    return web.getAddress().getPort();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException _) {
      return false;
    }
  }

  private Process forward(String... options) throws IOException {
    List<String> command = lab.ssh();
    command.addAll(1, List.of(options));
    command.addAll(1, List.of("-N", "-o", "ExitOnForwardFailure=yes"));
    return lab.background(command);
  }

  @Test
  void localForwarding() throws Exception {
    // Shows -L by every name of the instance, with many parallel requests of 5 MB each.
    for (String name : List.of("localhost", "127.0.0.1", "[::1]", "gpu-1")) {
      int port = freePort();
      Process ssh = forward("-L", "127.0.0.1:" + port + ":" + name + ":" + webPort());
      Lab.eventually("ssh listens", () -> listens(port));
      List<Process> curls = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        curls.add(
            new ProcessBuilder(
                    "curl",
                    "-sSf",
                    "-o",
                    folder.resolve("page" + i).toString(),
                    "http://127.0.0.1:" + port + "/")
                .start());
      }
      for (int i = 0; i < 10; i++) {
        assertThat(curls.get(i).waitFor()).isZero();
        assertThat(Arrays.equals(Files.readAllBytes(folder.resolve("page" + i)), PAGE)).isTrue();
      }
      ssh.destroyForcibly(); // ssh may miss a milder signal
      ssh.waitFor();
    }
  }

  @Test
  void nothingButTheInstance() throws Exception {
    // Shows that no other destination is connected, be it this host's own addresses or names.
    List<String> others =
        new ArrayList<>(
            List.of(
                "0.0.0.0", "127.0.0.2", "10.0.0.1", "169.254.169.254", "gpu-2", "[::]", "127.1"));
    others.add(InetAddress.getLocalHost().getHostName() + ".");
    for (String host : others) {
      List<String> command = lab.ssh();
      command.addAll(1, List.of("-W", host + ":" + webPort()));
      Lab.Ran ran = lab.run("GET / HTTP/1.0\r\n\r\n".getBytes(UTF_8), command);
      assertThat(ran.code()).as(host).isNotZero();
      assertThat(ran.output()).as(host).isEmpty();
    }
  }

  @Test
  void standardInputAndOutput() throws Exception {
    // Shows -W to an open port with half-closed ends, and a clean failure for a closed port.
    try (ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(() -> {
            try (Socket socket = listener.accept()) {
              byte[] all = socket.getInputStream().readAllBytes(); // needs the end of input
              socket.getOutputStream().write(("got " + all.length).getBytes(UTF_8));
            } catch (IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
          });
      List<String> command = lab.ssh();
      command.addAll(1, List.of("-W", "localhost:" + listener.getLocalPort()));
      assertThat(lab.run(new byte[3_000_000], command).fine().text()).isEqualTo("got 3000000");
    }
    List<String> closed = lab.ssh();
    closed.addAll(1, List.of("-W", "localhost:" + freePort()));
    assertThat(lab.run(new byte[0], closed).code()).isNotZero();
  }

  @Test
  void socksProxy() throws Exception {
    // Shows -D: a SOCKS client reaches the instance, and nothing else.
    int port = freePort();
    Process ssh = forward("-D", "127.0.0.1:" + port);
    Lab.eventually("ssh listens", () -> listens(port));
    assertThat(curl(port, "http://localhost:" + webPort() + "/")).isZero();
    assertThat(curl(port, "http://127.0.0.2:" + webPort() + "/")).isNotZero();
    ssh.destroyForcibly(); // ssh may miss a milder signal
    ssh.waitFor();
  }

  private int curl(int proxy, String url) throws Exception {
    return lab.run(
            new byte[0],
            List.of(
                "curl",
                "-sSf",
                "--max-time",
                "20",
                "-o",
                "/dev/null",
                "--socks5-hostname",
                "127.0.0.1:" + proxy,
                url))
        .code();
  }

  @Test
  void noOtherForwarding() throws Exception {
    // Shows that ports back to the client, the agent, X11 and tunnels are refused.
    List<String> back = lab.ssh();
    back.addAll(1, List.of("-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:localhost:1"));
    assertThat(lab.run(new byte[0], back).code()).isNotZero();
    List<String> agent = lab.ssh("echo agent=$SSH_AUTH_SOCK display=$DISPLAY");
    agent.addAll(1, List.of("-A", "-X"));
    assertThat(lab.run(new byte[0], agent).fine().text()).isEqualTo("agent= display=\n");
    int port = freePort();
    Process streams = forward("-L", "127.0.0.1:" + port + ":/run/x.sock");
    Lab.eventually("ssh listens", () -> listens(port));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    streams.destroyForcibly(); // ssh may miss a milder signal
    streams.waitFor();
  }
}
