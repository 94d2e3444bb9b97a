package gpuaas.local.image.registry;

import gpuaas.local.image.registry.PullFailed.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A program that fills a folder, and what it is held to while it does: the whole time, the time in
 * which nothing moves, the room that it takes, and the room that is left.
 *
 * @param running where the process is noted while it runs, so that others can end it
 * @param stall how long nothing in the folder may change
 */
record WatchedProcess(
    Set<Process> running, Path folder, Deadline deadline, Duration stall, long bytesMost) {

  /** How many files and folders one image may have. */
  static final long ENTRIES_MOST = 5_000_000;

  /** Left free whatever is fetched, so that the machine goes on working. */
  static final long FREE_LEAST = 512L << 20;

  private static final int OUTPUT_MOST = 5 << 20;
  private static final long LOOK_MILLIS = 100;
  private static final int LOOKING_SHARE = 10;

  /** How it ended, and what it said on either stream. */
  record Said(int exitCode, String output, String error) {}

  /** Lets it begin, once it is there. */
  interface Beginning {
    void begin(Process process) throws IOException;
  }

  /**
   * Runs it to its end.
   *
   * @throws PullFailed when it went beyond what it is held to; it has been ended then
   */
  Said run(ProcessBuilder builder, Beginning beginning) throws IOException, InterruptedException {
    Process process = builder.start();
    running.add(process);
    try {
      beginning.begin(process);
      process.getOutputStream().close();
      CompletableFuture<String> output = read(process.getInputStream());
      CompletableFuture<String> error = read(process.getErrorStream());
      watch(process);
      return new Said(process.exitValue(), output.join(), error.join());
    } finally {
      process.destroyForcibly();
      // What it still has open must not be written to once this has returned.
      process.waitFor(10, TimeUnit.SECONDS);
      running.remove(process);
    }
  }

  private void watch(Process process) throws IOException, InterruptedException {
    FolderSize last = FolderSize.of(folder);
    Deadline movement = Deadline.in(stall);
    long pauseMillis = LOOK_MILLIS;
    while (!process.waitFor(pauseMillis, TimeUnit.MILLISECONDS)) {
      long began = System.nanoTime();
      FolderSize now = FolderSize.of(folder);
      // Of a large image, looking takes a while; most of the time is for the work.
      pauseMillis = Math.max(LOOK_MILLIS, (System.nanoTime() - began) / 1_000_000 * LOOKING_SHARE);
      require(now);
      if (!now.equals(last)) {
        last = now;
        movement = Deadline.in(stall);
      } else if (movement.hasPassed()) {
        throw new PullFailed(
            Reason.STALLED, "nothing has come of the image for " + stall.toSeconds() + " seconds");
      }
      if (deadline.hasPassed()) {
        throw new PullFailed(
            Reason.TIMEOUT, "the image was not there in time (image-timeout-seconds)");
      }
    }
    require(FolderSize.of(folder));
  }

  private void require(FolderSize now) throws IOException {
    if (now.bytes() > bytesMost || now.entries() > ENTRIES_MOST) {
      throw new PullFailed(
          Reason.TOO_LARGE,
          "the image is larger than "
              + (bytesMost >> 30)
              + " GiB (image-size-gib) or has more than "
              + ENTRIES_MOST
              + " files");
    }
    if (Files.getFileStore(folder).getUsableSpace() < FREE_LEAST) {
      throw new PullFailed(Reason.NO_SPACE, "this machine has no room left for the image");
    }
  }

  private static CompletableFuture<String> read(InputStream stream) {
    CompletableFuture<String> text = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try (stream) {
            text.complete(new String(stream.readNBytes(OUTPUT_MOST), StandardCharsets.UTF_8));
          } catch (IOException ended) {
            text.complete("");
          }
        });
    return text;
  }
}
