package gpuaas.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.EOFException;
import java.io.IOException;

/**
 * Passes a body on, piece by piece as it comes, and keeps none of it. Chunks are counted out anew;
 * what they carry beside data is dropped.
 */
final class BodyCopy {

  private static final int PIECE = 64 * 1024;

  /** Room for a chunk's length before a piece, and for its end behind it. */
  private static final int MARGIN = 16;

  private static final int CHUNK_LINE_MOST = 256;
  private static final int TRAILERS_MOST = 8 * 1024;

  private final Wire from;
  private final Wire to;
  private final boolean chunked;
  private final byte[] piece = new byte[MARGIN + PIECE + MARGIN];

  /**
   * @param chunked how it is written: in chunks, or as it is
   */
  BodyCopy(Wire from, Wire to, boolean chunked) {
    this.from = from;
    this.to = to;
    this.chunked = chunked;
  }

  /** All of it. */
  void run(Framing framing) throws IOException {
    switch (framing) {
      case Framing.None _ -> {
        return;
      }
      case Framing.Length(long bytes) -> exactly(bytes);
      case Framing.Chunked _ -> chunks();
      case Framing.UntilEnd _ -> toTheEnd();
    }
    if (chunked) {
      to.write("0\r\n\r\n");
    }
  }

  private void exactly(long bytes) throws IOException {
    for (long left = bytes; left > 0; ) {
      int count = from.read(piece, MARGIN, (int) Math.min(PIECE, left));
      if (count < 0) {
        throw new EOFException("a body ended too soon");
      }
      pass(count);
      left -= count;
    }
  }

  private void toTheEnd() throws IOException {
    for (int count; (count = from.read(piece, MARGIN, PIECE)) >= 0; ) {
      pass(count);
    }
  }

  private void chunks() throws IOException {
    while (true) {
      String line = from.line(CHUNK_LINE_MOST, true);
      int end = line.indexOf(';');
      String size = (end < 0 ? line : line.substring(0, end)).stripTrailing();
      if (!size.matches("[0-9A-Fa-f]{1,15}")) {
        throw new Malformed(400, "A chunk has no length.");
      }
      long length = Long.parseLong(size, 16);
      if (length == 0) {
        var _ = from.head(TRAILERS_MOST, true);
        return;
      }
      exactly(length);
      if (!from.line(CHUNK_LINE_MOST, true).isEmpty()) {
        throw new Malformed(400, "A chunk is longer than it says.");
      }
    }
  }

  private void pass(int count) throws IOException {
    if (!chunked) {
      to.write(piece, MARGIN, count);
      return;
    }
    byte[] length = (Integer.toHexString(count) + "\r\n").getBytes(ISO_8859_1);
    System.arraycopy(length, 0, piece, MARGIN - length.length, length.length);
    piece[MARGIN + count] = '\r';
    piece[MARGIN + count + 1] = '\n';
    to.write(piece, MARGIN - length.length, length.length + count + 2);
  }
}
