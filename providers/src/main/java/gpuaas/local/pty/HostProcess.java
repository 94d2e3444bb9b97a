package gpuaas.local.pty;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process of this host that leads a session of its own, so that a signal reaches all it started.
 */
final class HostProcess {

  /**
   * A session of its own, and no signal ignored: a server that was started in the background or by
   * nohup ignores some, and would hand that down to every shell.
   */
  static final List<String> PREFIX = List.of("setsid", "env", "--default-signal");

  private static final int SIGHUP = 1;
  private static final int SIGKILL = 9;
  private static final int SIGCONT = 18;
  private static final long GRACE_SECONDS = 2;

  private final Process process;

  private HostProcess(Process process) {
    this.process = process;
  }

  /** Starts it with the builder's redirections; the environment is exactly the given one. */
  static HostProcess start(ProcessBuilder builder, Map<String, String> environment)
      throws IOException {
    builder.environment().clear();
    environment.forEach((name, value) -> {
      // The C library's form is NAME=VALUE, ended by a zero.
      if (!name.isEmpty() && name.indexOf('=') < 0 && (name + value).indexOf('\0') < 0) {
        builder.environment().put(name, value);
      }
    });
    return new HostProcess(builder.start());
  }

  static void check(List<String> command) {
    if (command.isEmpty()) {
      throw new IllegalArgumentException("a command is needed");
    }
  }

  /** Runs when the process has ended. */
  void atEnd(Runnable action) {
    var _ = process.onExit().thenRun(action);
  }

  int waitFor() throws InterruptedException {
    return process.waitFor();
  }

  void signal(String name) {
    Integer number = number(name);
    if (number != null) {
      kill(number);
    }
  }

  /** A hang-up, and after a grace the end. Does not wait for either. */
  void end() {
    if (process.isAlive()) {
      kill(SIGHUP);
      kill(SIGCONT); // a stopped process would not notice
      var _ =
          process
              .onExit()
              .orTimeout(GRACE_SECONDS, TimeUnit.SECONDS)
              .exceptionally(_ -> {
                kill(SIGKILL);
                return process;
              });
    }
  }

  private void kill(int signal) {
    // As long as it lives, neither its number nor its group can be somebody else's.
    if (process.isAlive() && !LibC.kill(-process.pid(), signal)) {
      LibC.kill(process.pid(), signal); // so young that it has no group yet
    }
  }

  private static @Nullable Integer number(String name) {
    return switch (name) {
      case "HUP" -> SIGHUP;
      case "INT" -> 2;
      case "QUIT" -> 3;
      case "ILL" -> 4;
      case "ABRT" -> 6;
      case "FPE" -> 8;
      case "KILL" -> SIGKILL;
      case "USR1" -> 10;
      case "SEGV" -> 11;
      case "USR2" -> 12;
      case "PIPE" -> 13;
      case "ALRM" -> 14;
      case "TERM" -> 15;
      case "CONT" -> SIGCONT;
      case "STOP" -> 19;
      case "TSTP" -> 20;
      default -> null;
    };
  }
}
