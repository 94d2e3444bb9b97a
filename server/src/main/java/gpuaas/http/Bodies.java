package gpuaas.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;

/** Reads the bodies of requests, up to a limit of bytes and of time. */
final class Bodies {

  private static final long SWALLOWED_BYTES_MOST = 16L * 1024 * 1024;
  private static final Duration SWALLOWING_MOST = Duration.ofSeconds(5);
  private static final int PIECE_BYTES = 64 * 1024;

  private Bodies() {}

  /** It did not come in time. */
  static final class TooSlow extends IOException {
    private static final long serialVersionUID = 1;

    TooSlow() {
      super("the body came too slowly");
    }
  }

  /** Empty when it is longer than allowed. */
  static Optional<String> read(HttpServletRequest request, HttpServer.Limits limits)
      throws IOException {
    try (InputStream in = request.getInputStream()) {
      if (request.getContentLengthLong() <= limits.bodyBytesMost()) {
        byte[] bytes = inTime(in, limits);
        if (bytes.length <= limits.bodyBytesMost()) {
          return Optional.of(new String(bytes, UTF_8));
        }
      }
      swallow(in);
      return Optional.empty();
    }
  }

  /** All of it, or one byte too many. */
  private static byte[] inTime(InputStream in, HttpServer.Limits limits) throws IOException {
    long begun = System.nanoTime();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] piece = new byte[8 * 1024];
    int read = in.read(piece);
    while (read >= 0 && all.size() <= limits.bodyBytesMost()) {
      if (System.nanoTime() - begun > limits.receive().toNanos()) {
        throw new TooSlow();
      }
      all.write(piece, 0, read);
      read = in.read(piece);
    }
    return all.toByteArray();
  }

  /**
   * Takes what still comes of a body that is too long, for a while: were the connection closed
   * before, the client's system would throw our answer away together with what was not yet sent.
   */
  private static void swallow(InputStream in) throws IOException {
    long until = System.nanoTime() + SWALLOWING_MOST.toNanos();
    byte[] piece = new byte[PIECE_BYTES];
    long left = SWALLOWED_BYTES_MOST;
    int read = in.read(piece);
    while (read >= 0 && left > 0 && System.nanoTime() - until < 0) {
      left -= read;
      read = in.read(piece);
    }
  }
}
