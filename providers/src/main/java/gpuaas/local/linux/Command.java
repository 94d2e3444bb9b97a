package gpuaas.local.linux;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs a program of the host to its end, with a limit on time and on what it says. */
public final class Command {

  private static final int MOST_OUTPUT_BYTES = 16 << 20;
  private static final File NOTHING = new File("/dev/null");

  private Command() {}

  /**
   * How a program ended.
   *
   * @param output what it wrote, errors included
   */
  public record Result(int exitCode, String output) {
    /** Whether it ended well. */
    public boolean ok() {
      return exitCode == 0;
    }
  }

  /** Where a program is, if it is installed. */
  public static Optional<Path> find(String program) {
    // sbin is often not on the PATH of a service, and that is where runc is.
    String folders = System.getenv().getOrDefault("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin";
    return Stream.of(folders.split(":"))
        .filter(folder -> folder.startsWith("/"))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Runs it.
   *
   * @throws IOException when it cannot be started, or has not ended in time
   */
  public static Result run(long timeoutSeconds, List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(NOTHING))
            .start();
    CompletableFuture<String> output = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> read(process, output));
    int exitCode = await(process, timeoutSeconds, command);
    return new Result(exitCode, output.join());
  }

  /**
   * Runs it and throws away what it says. Quicker, and right for a program that leaves processes
   * behind which would hold its output open.
   */
  public static int runSilently(long timeoutSeconds, List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(NOTHING))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    return await(process, timeoutSeconds, command);
  }

  private static void read(Process process, CompletableFuture<String> output) {
    try (var stream = process.getInputStream()) {
      byte[] bytes = stream.readNBytes(MOST_OUTPUT_BYTES);
      output.complete(new String(bytes, StandardCharsets.UTF_8));
    } catch (IOException failure) {
      output.complete("");
    }
  }

  private static int await(Process process, long timeoutSeconds, List<String> command)
      throws IOException {
    try {
      if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(
            command.getFirst() + " has not ended within " + timeoutSeconds + " seconds");
      }
      return process.exitValue();
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + command.getFirst() + " ran", interrupted);
    }
  }
}
