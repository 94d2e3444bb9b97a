package gpuaas.web;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.provider.Providers;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/**
 * Jupyter in an instance: started so that it outlives the channel it was started through, as the
 * login user in its home folder, on the loopback inside. Each of these can be done twice.
 */
final class JupyterProgram {

  private static final int SAID_BYTES_MOST = 8 * 1024;
  private static final int ERROR_LENGTH_MOST = 1000;
  private static final int ANSWER_MILLIS = 5000;
  private static final String SCRIPT = script();

  private final Providers providers;
  private final UnaryOperator<String> basePath;
  private final Duration limit;

  JupyterProgram(Providers providers, UnaryOperator<String> basePath, Duration limit) {
    this.providers = providers;
    this.basePath = basePath;
    this.limit = limit;
  }

  /** What came of starting it. */
  sealed interface Started {
    /** It runs; whether it answers is seen later. */
    record Yes() implements Started {}

    /** Why not, for its owner. */
    record No(String why) implements Started {}
  }

  Started start(InstanceRef instance, Web web) throws InterruptedException {
    if (providers.ability(instance, HasExec.class).isEmpty()
        || providers.ability(instance, HasPorts.class).isEmpty()) {
      return new Started.No("Jupyter cannot be reached on machines of " + instance.provider());
    }
    Said said =
        run(
            instance,
            "begin %s %s %d\n"
                .formatted(web.token(), basePath.apply(web.hostName()), Web.JUPYTER_PORT));
    return said.code() == 0 ? new Started.Yes() : new Started.No(masked(said.text(), web));
  }

  /** What its log ends with; empty: it runs. */
  Optional<String> died(InstanceRef instance, Web web) throws InterruptedException {
    Said said = run(instance, "look\n");
    return said.code() == 0 ? Optional.empty() : Optional.of(masked(said.text(), web));
  }

  /** Ends it; true even if it did not run. */
  void end(InstanceRef instance) throws InterruptedException {
    Said said = run(instance, "end\n");
    if (said.code() != 0) {
      throw new IllegalStateException("Jupyter could not be ended: " + said.text());
    }
  }

  /** Whether it answers to HTTP, and is the one that we started. */
  boolean answers(InstanceRef instance, Web web) {
    Optional<HasPorts> ports = providers.ability(instance, HasPorts.class);
    if (ports.isEmpty()) {
      return false;
    }
    try (SocketChannel channel = ports.get().connect(instance, Web.JUPYTER_PORT)) {
      Socket socket = channel.socket();
      socket.setSoTimeout(ANSWER_MILLIS);
      OutputStream out = socket.getOutputStream();
      String path = basePath.apply(web.hostName()) + "api";
      out.write(
          ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
              .getBytes(ISO_8859_1));
      byte[] start = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
      return new String(start, ISO_8859_1).matches("HTTP/1\\.[01] 200");
    } catch (IOException | ProviderException | IllegalArgumentException nobodyThere) {
      return false;
    }
  }

  private record Said(int code, String text) {}

  /**
   * Gives the script to a shell there, with what to do at its end; ended when it takes too long.
   */
  private Said run(InstanceRef instance, String task) throws InterruptedException {
    HasExec exec = providers.ability(instance, HasExec.class).orElseThrow();
    ExecRequest request =
        new ExecRequest(List.of("/bin/sh", "-s"), Optional.empty(), Map.of("LC_ALL", "C.UTF-8"));
    try (ExecChannel channel = exec.exec(instance, request)) {
      Thread watch = endedAfter(limit, channel);
      try (OutputStream input = channel.input()) {
        input.write((SCRIPT + task).getBytes(UTF_8));
      }
      byte[] said = channel.output().readNBytes(SAID_BYTES_MOST);
      int code = channel.waitFor();
      watch.interrupt();
      return new Said(code, new String(said, UTF_8).strip());
    } catch (IOException e) {
      throw new UncheckedIOException("no shell there that takes a script", e);
    }
  }

  private static Thread endedAfter(Duration limit, ExecChannel channel) {
    return Thread.ofVirtual()
        .name("jupyter-limit")
        .start(() -> {
          LockSupport.parkNanos(limit.toNanos());
          if (!Thread.currentThread().isInterrupted()) {
            channel.close();
          }
        });
  }

  private static String masked(String text, Web web) {
    String told = text.replace(web.token(), "...");
    return told.substring(Math.max(0, told.length() - ERROR_LENGTH_MOST));
  }

  private static String script() {
    try (InputStream script = JupyterProgram.class.getResourceAsStream("jupyter.sh")) {
      if (script == null) {
        throw new IllegalStateException("jupyter.sh is missing");
      }
      return new String(script.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
