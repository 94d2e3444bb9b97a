package gpuaas.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;

/** Reads the bodies of requests, up to a limit. */
final class Bodies {

  private static final long SWALLOWED_BYTES_MOST = 16L * 1024 * 1024;
  private static final Duration SWALLOWING_MOST = Duration.ofSeconds(5);

  private Bodies() {}

  /** Empty when it is longer than allowed. */
  static Optional<String> read(HttpServletRequest request, int bytesMost) throws IOException {
    try (InputStream in = request.getInputStream()) {
      if (request.getContentLengthLong() <= bytesMost) {
        byte[] bytes = in.readNBytes(bytesMost + 1);
        if (bytes.length <= bytesMost) {
          return Optional.of(new String(bytes, UTF_8));
        }
      }
      swallow(in);
      return Optional.empty();
    }
  }

  /**
   * Takes what still comes of a body that is too long, for a while: were the connection closed
   * before, the client's system would throw our answer away together with what was not yet sent.
   */
  private static void swallow(InputStream in) throws IOException {
    long until = System.nanoTime() + SWALLOWING_MOST.toNanos();
    byte[] piece = new byte[64 * 1024];
    long left = SWALLOWED_BYTES_MOST;
    int read = in.read(piece);
    while (read >= 0 && left > 0 && System.nanoTime() - until < 0) {
      left -= read;
      read = in.read(piece);
    }
  }
}
