package gpuaas.market;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** An API that says what it was told to say, in the order it was told; the last is said again. */
public final class ScriptedMarket implements AutoCloseable {

  private final HttpServer server;
  private final Map<String, Deque<Said>> script = new HashMap<>();
  private final List<String> calls = new ArrayList<>();

  private record Said(int status, String body) {}

  public ScriptedMarket() {
    try {
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      server = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
      server.createContext("/", this::answer);
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From the next call on: such as {@code GET /api/v0/instances/}, whatever its query is. */
  public synchronized ScriptedMarket on(String call, int status, String body) {
    script.computeIfAbsent(call, _ -> new ArrayDeque<>()).add(new Said(status, body));
    return this;
  }

  /** What was asked: method, path with query, and body. */
  public synchronized List<String> calls() {
    return List.copyOf(calls);
  }

  /** Where it listens, with this path. */
  public String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      Said said = next(exchange.getRequestMethod(), exchange.getRequestURI().toString(), body);
      byte[] bytes = said.body().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(said.status(), bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private synchronized Said next(String method, String uri, String body) {
    calls.add(method + " " + uri + " " + body);
    Deque<Said> left = script.get(method + " " + uri.replaceFirst("\\?.*", ""));
    if (left == null) {
      return new Said(404, "404 page not found\n");
    }
    return left.size() > 1 ? left.removeFirst() : left.getFirst();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
