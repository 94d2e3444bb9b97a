package gpuaas.command;

import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One look at a command: begins it if nobody has, and says how far it is and what it has written
 * since. The same question any number of times is fine, from any server.
 *
 * <p>Inside, a command runs in a session of its own, so that it goes on when the look is over; what
 * it writes goes to a file that never grows beyond the limit, and what comes after that is read and
 * dropped, so that a command is never stopped by what it writes.
 */
final class CommandLook {

  private static final int STATE_BYTES_MOST = 64;
  private static final int NOT_FOUND_AGAIN = 137;

  /**
   * Arguments: folder, limit of the output. Its first line must come first: it says who it is. The
   * limit is the system's own, for tools that count bytes keep back what they have read.
   */
  private static final String RUNNER =
      """
      echo $$ > "$1/begun.new" && mv "$1/begun.new" "$1/begun"
      shell=sh; command -v bash > /dev/null 2>&1 && shell=bash
      cd
      { $shell "$1/command" < /dev/null 2>&1; echo $? > "$1/exit.new"; mv "$1/exit.new" "$1/exit"; } |
        { (trap '' XFSZ; ulimit -f $(($2 / 512)); cat > "$1/output") 2> /dev/null
          cat > /dev/null; : > "$1/closed"; }
      """;

  /** Arguments: name, position, part, limit of the output, command, runner, whether anew. */
  private static final String LOOK =
      """
      d=/tmp/.gpuaas-command-$1
      umask 077
      if [ "$7" = anew ] && [ ! -s "$d/begun" ]; then rm -rf "$d"; fi
      if [ ! -e "$d/begun" ] && mkdir "$d" 2> /dev/null; then
        printf '%s\\n' "$5" > "$d/command"
        if command -v setsid > /dev/null 2>&1; then
          setsid sh -c "$6" command "$d" "$4" < /dev/null > /dev/null 2>&1 &
        else
          nohup sh -c "$6" command "$d" "$4" < /dev/null > /dev/null 2>&1 &
        fi
      fi
      state=starting
      if [ -s "$d/begun" ]; then
        if [ -e "$d/exit" ] || kill -0 "$(cat "$d/begun")" 2> /dev/null; then :; else sleep 1; fi
        if [ -e "$d/exit" ]; then
          for _ in 1 2 3; do [ -e "$d/closed" ] || sleep 0.1; done
          state="exited $(cat "$d/exit")"
        elif kill -0 "$(cat "$d/begun")" 2> /dev/null; then
          state=running
        else
          state=lost
        fi
      fi
      echo "$state"
      if [ -e "$d/output" ]; then tail -c +$(($2 + 1)) "$d/output" | head -c "$3"; fi
      """;

  private CommandLook() {}

  /** How far it is. */
  sealed interface State {
    /** Somebody begins it right now, or began to and was interrupted. */
    record Starting() implements State {}

    /** It goes on. */
    record Going() implements State {}

    /** It has ended. */
    record Over(int code) implements State {}
  }

  /**
   * What was seen.
   *
   * @param part of its output, from the position that was asked for
   * @param more true: there may be more of it already
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Seen(State state, byte[] part, boolean more) {}

  /** What is asked. */
  record Question(UUID lease, String command, long position, boolean anew) {}

  /**
   * Looks.
   *
   * @param limit how long that may take
   * @throws IOException when the environment did not answer, or not in time
   */
  static Seen at(
      HasExec exec, InstanceRef instance, Question question, CommandRules rules, Duration limit)
      throws IOException, InterruptedException {
    List<String> line =
        List.of(
            "sh",
            "-c",
            LOOK,
            "look",
            question.lease().toString(),
            Long.toString(question.position()),
            Integer.toString(rules.partBytesMost()),
            Long.toString(rules.outputBytesMost()),
            question.command(),
            RUNNER,
            question.anew() ? "anew" : "");
    try (ExecChannel channel =
        exec.exec(instance, new ExecRequest(line, Optional.empty(), Map.of()))) {
      Thread watch = Thread.ofVirtual().start(() -> closeAfter(channel, limit));
      try {
        channel.input().close();
        Seen seen = read(channel.output(), rules.partBytesMost());
        var _ = channel.waitFor();
        return seen;
      } finally {
        watch.interrupt();
      }
    } catch (ProviderException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static void closeAfter(ExecChannel channel, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(Math.min(limit.toNanos(), TimeUnit.SECONDS.toNanos(1)));
    }
    if (!Thread.currentThread().isInterrupted()) {
      channel.close();
    }
  }

  private static Seen read(InputStream output, int partBytesMost) throws IOException {
    ByteArrayOutputStream first = new ByteArrayOutputStream();
    for (int one = output.read(); one != '\n'; one = output.read()) {
      if (one < 0 || first.size() >= STATE_BYTES_MOST) {
        throw new IOException("the environment did not say how far it is");
      }
      first.write(one);
    }
    State state = state(first.toString(StandardCharsets.US_ASCII));
    byte[] part = output.readNBytes(partBytesMost);
    return new Seen(state, part, part.length == partBytesMost);
  }

  /** Of a line of the look's; what is not one of its own is no answer. */
  static State state(String line) throws IOException {
    String[] words = line.strip().split(" ", 3);
    return switch (words[0]) {
      case "starting" -> new State.Starting();
      case "running" -> new State.Going();
      // Whoever kept it alive was killed, and so was it.
      case "lost" -> new State.Over(NOT_FOUND_AGAIN);
      case "exited" -> new State.Over(code(words));
      default -> throw new IOException("the environment said something else than how far it is");
    };
  }

  private static int code(String[] words) throws IOException {
    try {
      return Integer.parseInt(words[words.length - 1]);
    } catch (NumberFormatException e) {
      throw new IOException("the exit code of the command cannot be read", e);
    }
  }
}
