package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A server that answers every request as a test says, well or badly, and keeps what it was sent.
 */
final class ScriptedSts implements AutoCloseable {

  /** What is done with a connection after its request was read. */
  interface Script {
    void answer(Socket connection) throws IOException, InterruptedException;
  }

  private final ServerSocket server;
  private final Script script;
  private final List<String> received = new CopyOnWriteArrayList<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  ScriptedSts(Script script) throws IOException {
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.script = script;
    Thread.ofVirtual().start(this::accept);
  }

  /** Answers with this. */
  static Script answering(int status, String type, String body) {
    return connection -> {
      byte[] bytes = body.getBytes(UTF_8);
      String head =
          "HTTP/1.1 %d x\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
              .formatted(status, type, bytes.length);
      connection.getOutputStream().write(head.getBytes(ISO_8859_1));
      connection.getOutputStream().write(bytes);
      connection.close();
    };
  }

  /** Says nothing, and does not hang up. */
  static Script hanging() {
    return _ -> {};
  }

  /** Hangs up with a reset. */
  static Script resetting() {
    return connection -> {
      connection.setSoLinger(true, 0);
      connection.close();
    };
  }

  /** Sends a byte now and then, for ever. */
  static Script dripping() {
    return connection -> {
      connection
          .getOutputStream()
          .write("HTTP/1.1 200 x\r\nContent-Length: 9999\r\n\r\n<".getBytes(ISO_8859_1));
      while (!connection.isClosed()) {
        connection.getOutputStream().write(' ');
        connection.getOutputStream().flush();
        java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
      }
    };
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  /** Each request, head and body. */
  List<String> received() {
    return received;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket connection = server.accept();
        open.add(connection);
        Thread.ofVirtual().start(() -> serve(connection));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket connection) {
    try {
      received.add(request(connection.getInputStream()));
      script.answer(connection);
    } catch (IOException | InterruptedException e) {
      // the other side had enough
    }
  }

  private static String request(InputStream in) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf("\r\n\r\n") < 0) {
      int read = in.read();
      if (read < 0) {
        return text.toString();
      }
      text.append((char) read);
    }
    var length = java.util.regex.Pattern.compile("(?i)content-length: (\\d+)").matcher(text);
    if (length.find()) {
      text.append(new String(in.readNBytes(Integer.parseInt(length.group(1))), UTF_8));
    }
    return text.toString();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket connection : open) {
      connection.close();
    }
  }
}
