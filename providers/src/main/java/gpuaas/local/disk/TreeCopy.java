package gpuaas.local.disk;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Copies what is in a folder, with owners, permissions and holes. By two tars, since tar never
 * follows a link, even one that is put in its way while it reads.
 */
final class TreeCopy {

  private static final long SECONDS = 3600;
  private static final long LITTLE = 1 << 20;

  /** As tar says that a file changed or went while it was read: it is of that moment then. */
  private static final int CHANGED_MEANWHILE = 1;

  private TreeCopy() {}

  /** Copies everything into a folder that is empty. */
  static void all(Path from, Path to) throws IOException {
    copy(from, to, List.of());
  }

  /** Copies what is not there yet; what is there stays as it is. */
  static void missing(Path from, Path to) throws IOException {
    copy(from, to, List.of("--skip-old-files"));
  }

  private static void copy(Path from, Path to, List<String> options) throws IOException {
    List<String> read = List.of("tar", "-C", from.toString(), "--xattrs", "-cSf", "-", ".");
    List<String> write = new ArrayList<>(List.of("tar", "-C", to.toString(), "--xattrs"));
    write.addAll(List.of("--numeric-owner", "-xpSf", "-"));
    write.addAll(options);
    List<Process> both =
        ProcessBuilder.startPipeline(List.of(quiet(read), quiet(write).redirectOutput(nothing())));
    try {
      for (Process one : both.reversed()) {
        if (!one.waitFor(SECONDS, TimeUnit.SECONDS)) {
          throw new IOException("a copy of " + from + " is not ready after an hour");
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + from + " was copied", interrupted);
    } finally {
      both.forEach(Process::destroyForcibly);
    }
    if (both.getFirst().exitValue() > CHANGED_MEANWHILE || both.getLast().exitValue() != 0) {
      boolean full = Files.getFileStore(to).getUsableSpace() < LITTLE;
      throw new IOException("a copy of " + from + " failed" + (full ? ": " + LocalDisks.FULL : ""));
    }
  }

  private static ProcessBuilder quiet(List<String> command) {
    return new ProcessBuilder(command).redirectError(nothing());
  }

  private static ProcessBuilder.Redirect nothing() {
    return ProcessBuilder.Redirect.to(new File("/dev/null"));
  }
}
