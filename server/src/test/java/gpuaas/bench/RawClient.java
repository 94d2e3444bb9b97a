package gpuaas.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;

/**
 * As little HTTP/1.1 as a bench needs, on one connection that stays open: what is measured should
 * be the server, and both share the machine.
 */
final class RawClient implements AutoCloseable {

  private final Socket socket;
  private final InputStream in;
  private final String head;

  RawClient(int port, String apiKey) throws IOException {
    this.socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    this.in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
    this.head = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + apiKey + "\r\n";
  }

  /** What came back. */
  record Answer(int status, String body) {}

  Answer send(String method, String path, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    String more = bytes.length == 0 ? "" : "Content-Type: application/json\r\n";
    String request =
        method + " " + path + head + more + "Content-Length: " + bytes.length + "\r\n\r\n" + body;
    socket.getOutputStream().write(request.getBytes(UTF_8));
    String status = line();
    int length = 0;
    for (String line = line(); !line.isEmpty(); line = line()) {
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring(15).strip());
      } else if (lower.startsWith("transfer-encoding:")) {
        throw new IOException("chunked: " + path);
      }
    }
    String answered = new String(in.readNBytes(length), UTF_8);
    return new Answer(Integer.parseInt(status.split(" ")[1]), answered);
  }

  private String line() throws IOException {
    byte[] bytes = new byte[1024];
    int count = 0;
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0 || count == bytes.length) {
        throw new IOException("the connection ended");
      }
      bytes[count++] = (byte) b;
    }
    return new String(bytes, 0, Math.max(0, count - 1), ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
