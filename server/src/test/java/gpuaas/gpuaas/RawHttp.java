package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Bytes on a socket, for what proper clients refuse to send. */
final class RawHttp {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PATIENCE_MILLIS = 20_000;

  private RawHttp() {}

  /** What came back: all of it, and its parts. */
  record Raw(int status, Map<String, String> headers, String body, String all) {
    JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError("not JSON: " + all, e);
      }
    }
  }

  /** Sends a head whose last header closes the connection, and a body. */
  static Raw send(String url, String startLine, String headers, String body) throws IOException {
    return bytes(
        url,
        (startLine + "\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n" + body)
            .getBytes(UTF_8));
  }

  /** Sends these bytes and reads until the server hangs up. */
  static Raw bytes(String url, byte[] bytes) throws IOException {
    URI at = URI.create(url);
    try (Socket socket = new Socket(at.getHost(), at.getPort())) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      Thread sender = Thread.ofVirtual().start(() -> write(socket, bytes));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      try (InputStream in = socket.getInputStream()) {
        in.transferTo(all);
      } catch (SocketException e) {
        if (all.size() == 0) {
          throw e;
        }
      }
      sender.interrupt();
      return parsed(all.toString(UTF_8));
    }
  }

  /** Sends these bytes and reads one answer that says how long it is; the connection may stay. */
  static Raw firstAnswer(String url, byte[] bytes) throws IOException {
    URI at = URI.create(url);
    try (Socket socket = new Socket(at.getHost(), at.getPort())) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.getOutputStream().write(bytes);
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      InputStream in = socket.getInputStream();
      for (int next = in.read(); next >= 0; next = in.read()) {
        all.write(next);
        if (all.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
          break;
        }
      }
      return parsed(all.toString(UTF_8));
    }
  }

  private static void write(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
    } catch (IOException e) {
      // The server need not read everything before it says no.
    }
  }

  private static Raw parsed(String all) {
    int end = all.indexOf("\r\n\r\n");
    if (end < 0 || !all.startsWith("HTTP/1.1 ")) {
      throw new AssertionError("not an answer: '" + all + "'");
    }
    Map<String, String> headers = new TreeMap<>();
    String[] lines = all.substring(0, end).split("\r\n");
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      headers.put(
          lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
          lines[i].substring(colon + 1).strip());
    }
    return new Raw(
        Integer.parseInt(lines[0].substring(9, 12)), headers, all.substring(end + 4), all);
  }

  /** One byte for each character. */
  static byte[] latin(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
