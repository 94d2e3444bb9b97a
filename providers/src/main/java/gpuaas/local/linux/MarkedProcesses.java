package gpuaas.local.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Processes that can be told by a word among their arguments, such as an environment's id. */
public final class MarkedProcesses {

  private static final long END_SECONDS = 10;

  private MarkedProcesses() {}

  /** Every living process with a program of this name that has the word as an argument. */
  public static List<Processes.Identity> find(String program, String word) {
    List<Processes.Identity> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (isAbout(process, program, word)) {
          Processes.identify(Long.parseLong(process.getFileName().toString()))
              .filter(Processes.Identity::isAlive)
              .ifPresent(found::add);
        }
      }
    } catch (IOException failure) {
      throw new IllegalStateException("/proc cannot be read", failure);
    }
    return found;
  }

  /** Ends all that {@link #find} finds, and waits until they have ended. */
  public static void end(String program, String word) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    for (var left = find(program, word); !left.isEmpty(); left = find(program, word)) {
      if (System.nanoTime() > deadline) {
        throw new IOException("processes do not end: " + left);
      }
      for (Processes.Identity process : left) {
        SystemCalls.kill(process.pid(), SystemCalls.SIGKILL);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    }
  }

  private static boolean isAbout(Path process, String program, String word) {
    try {
      byte[] line = Files.readAllBytes(process.resolve("cmdline"));
      List<String> words = List.of(new String(line, StandardCharsets.UTF_8).split("\0"));
      String first = words.getFirst();
      return words.contains(word) && (first.equals(program) || first.endsWith("/" + program));
    } catch (IOException gone) {
      return false;
    }
  }
}
