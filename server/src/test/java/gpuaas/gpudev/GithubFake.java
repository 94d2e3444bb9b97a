package gpuaas.gpudev;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Public keys by name, as GitHub gives them: {@code /NAME.keys}; may be told to fail. */
final class GithubFake implements AutoCloseable {

  final Map<String, String> keys = new ConcurrentHashMap<>();
  volatile boolean down;
  private final HttpServer server;

  GithubFake() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String name = exchange.getRequestURI().getPath().substring(1).replace(".keys", "");
          String found = keys.get(name);
          byte[] body = (found == null ? "Not Found" : found).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(
              down ? 503 : found == null ? 404 : 200, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
