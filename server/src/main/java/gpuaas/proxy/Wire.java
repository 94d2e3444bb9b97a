package gpuaas.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One end of a connection: reads lines and bytes through one small buffer, so that nothing is lost
 * between a head and its body; writes at once. One thread may read while another writes.
 */
final class Wire implements AutoCloseable {

  private static final int BUFFER = 16 * 1024;

  private final Socket socket;
  private final Socket plain;
  private final InputStream in;
  private final OutputStream out;
  private final Progress progress;
  private final byte[] buffer = new byte[BUFFER];
  private int from;
  private int to;

  Wire(Socket socket, Progress progress) throws IOException {
    this(socket, socket, progress);
  }

  /**
   * @param plain what carries it: the same, unless it is encrypted
   */
  Wire(Socket socket, Socket plain, Progress progress) throws IOException {
    this.socket = socket;
    this.plain = plain;
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
    this.progress = progress;
  }

  /** How long one read may wait; zero: as long as it takes. */
  void timeout(Duration limit) throws IOException {
    socket.setSoTimeout((int) limit.toMillis());
  }

  /** Waits for a byte without taking it; false: none comes any more. */
  boolean awaitByte() throws IOException {
    return from < to || fill();
  }

  private boolean fill() throws IOException {
    int count = in.read(buffer, 0, BUFFER);
    from = 0;
    to = Math.max(0, count);
    if (count > 0) {
      progress.moved();
    }
    return count > 0;
  }

  /** Some bytes, as soon as there are any; -1: no more come. */
  int read(byte[] into, int offset, int most) throws IOException {
    if (from < to) {
      int count = Math.min(most, to - from);
      System.arraycopy(buffer, from, into, offset, count);
      from += count;
      return count;
    }
    int count = in.read(into, offset, most);
    if (count > 0) {
      progress.moved();
    }
    return count;
  }

  /**
   * A head: its lines up to the empty one.
   *
   * @param strict true: lines end with CR LF and nothing else
   */
  List<String> head(int bytesMost, boolean strict) throws IOException {
    List<String> lines = new ArrayList<>();
    int left = bytesMost;
    while (true) {
      String line = line(left, strict);
      left -= line.length() + 2;
      if (line.isEmpty()) {
        return lines;
      }
      lines.add(line);
    }
  }

  /** One line without its end. */
  String line(int bytesMost, boolean strict) throws IOException {
    StringBuilder line = new StringBuilder(64);
    while (true) {
      if (!awaitByte()) {
        throw new EOFException("the connection ended in the middle of a line");
      }
      int start = from;
      while (from < to && buffer[from] != '\n') {
        from++;
      }
      line.append(new String(buffer, start, from - start, ISO_8859_1));
      if (line.length() > bytesMost) {
        throw new Malformed(431, "The head of the request is too long.");
      }
      if (from < to) {
        from++;
        return withoutReturn(line, strict);
      }
    }
  }

  private static String withoutReturn(StringBuilder line, boolean strict) throws Malformed {
    int last = line.length() - 1;
    boolean ended = last >= 0 && line.charAt(last) == '\r';
    if (ended) {
      line.setLength(last);
    }
    if ((strict && !ended) || line.indexOf("\r") >= 0 || line.indexOf("\0") >= 0) {
      throw new Malformed(400, "Lines must end with CR LF.");
    }
    return line.toString();
  }

  void write(byte[] bytes, int offset, int count) throws IOException {
    out.write(bytes, offset, count);
    progress.moved();
  }

  void write(String text) throws IOException {
    byte[] bytes = text.getBytes(ISO_8859_1);
    write(bytes, 0, bytes.length);
    out.flush();
  }

  /** Says that nothing more comes, and goes on reading. */
  void endOutput() throws IOException {
    if (!socket.isOutputShutdown()) {
      socket.shutdownOutput();
    }
  }

  /** Ends it so that the other side sees that it was cut off. */
  void abort() {
    try {
      plain.setSoLinger(true, 0);
      plain.close();
    } catch (IOException _) {
      // It is gone, which is all we want.
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException _) {
      // It is gone, which is all we want.
    }
  }
}
