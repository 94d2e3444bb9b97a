package gpuaas.market.sim;

import gpuaas.local.pty.PipeProcess;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.Signal;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.jspecify.annotations.Nullable;

/** A command in a simulated machine, with a terminal if the client has one. */
final class SimCommand implements Command {

  private static final int COLUMNS = 80;
  private static final int ROWS = 24;

  private final Path home;
  private final String line;
  private InputStream input = InputStream.nullInputStream();
  private OutputStream output = OutputStream.nullOutputStream();
  private OutputStream error = OutputStream.nullOutputStream();
  private ExitCallback exit = (_, _, _) -> {};
  private volatile @Nullable ExecChannel process;

  /**
   * @param line for the shell; empty: the shell itself
   */
  SimCommand(Path home, String line) {
    this.home = home;
    this.line = line;
  }

  @Override
  public void setInputStream(InputStream in) {
    this.input = in;
  }

  @Override
  public void setOutputStream(OutputStream out) {
    this.output = out;
  }

  @Override
  public void setErrorStream(OutputStream err) {
    this.error = err;
  }

  @Override
  public void setExitCallback(ExitCallback callback) {
    this.exit = callback;
  }

  @Override
  public void start(ChannelSession channel, Environment environment) {
    Map<String, String> variables = environment.getEnv();
    ExecChannel started = start(variables);
    process = started;
    environment.addSignalListener((_, signal) -> signalled(started, signal, variables));
    Thread.ofVirtual().name("sim-input").start(() -> feed(started));
    Thread.ofVirtual().name("sim-command").start(() -> talk(started));
  }

  /** What every process of a machine finds in its environment. */
  static Map<String, String> variables(Path home) {
    return Map.of(
        "HOME", home.toString(),
        "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SHELL", "/bin/sh",
        "USER", "root");
  }

  private ExecChannel start(Map<String, String> client) {
    Map<String, String> own = variables(home);
    String inner = line.isEmpty() ? "exec /bin/sh -l" : line;
    List<String> command = List.of("/bin/sh", "-c", "cd \"$HOME\" && eval \"$1\"", "sh", inner);
    String type = client.get(Environment.ENV_TERM);
    return type == null
        ? PipeProcess.start(command, own)
        : TerminalProcess.start(
            command,
            own,
            new ExecRequest.Terminal(
                type,
                number(client, Environment.ENV_COLUMNS, COLUMNS),
                number(client, Environment.ENV_LINES, ROWS)));
  }

  private static int number(Map<String, String> variables, String name, int fallback) {
    String text = variables.getOrDefault(name, "");
    return text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : fallback;
  }

  private static void signalled(ExecChannel started, Signal signal, Map<String, String> variables) {
    if (signal == Signal.WINCH) {
      started.resize(
          number(variables, Environment.ENV_COLUMNS, COLUMNS),
          number(variables, Environment.ENV_LINES, ROWS));
    } else {
      started.signal(signal.name());
    }
  }

  private void talk(ExecChannel started) {
    int code = 1;
    try (started) {
      Thread complaining =
          Thread.ofVirtual().name("sim-error").start(() -> copy(started.error(), error));
      copy(started.output(), output);
      complaining.join();
      code = started.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      exit.onExit(code);
    }
  }

  private void feed(ExecChannel started) {
    copy(input, started.input());
    try {
      started.input().close();
    } catch (IOException e) {
      // It has ended.
    }
  }

  private static void copy(InputStream from, OutputStream to) {
    byte[] part = new byte[8 * 1024];
    try {
      for (int count; (count = from.read(part)) >= 0; ) {
        to.write(part, 0, count);
        to.flush();
      }
    } catch (IOException e) {
      // One side has gone; the other sees that for itself.
    }
  }

  @Override
  public void destroy(ChannelSession channel) {
    ExecChannel started = process;
    if (started != null) {
      Thread.ofVirtual().name("sim-end").start(started::close);
    }
  }
}
