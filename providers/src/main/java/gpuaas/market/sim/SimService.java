package gpuaas.market.sim;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/** What listens on an open port of a simulated machine: it says how it is at {@code /health}. */
final class SimService implements AutoCloseable {

  private final HttpServer server;

  private SimService(HttpServer server) {
    this.server = server;
  }

  /** Starts one on a port of loopback that is free. */
  static SimService start(int inside, BooleanSupplier healthy) {
    try {
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
      server.createContext("/", exchange -> answer(exchange, inside, healthy.getAsBoolean()));
      server.start();
      return new SimService(server);
    } catch (IOException e) {
      throw new UncheckedIOException("nothing can listen for port " + inside, e);
    }
  }

  private static void answer(HttpExchange exchange, int inside, boolean healthy)
      throws IOException {
    try (exchange) {
      String text = healthy ? "port " + inside + " is well\n" : "port " + inside + " is not well\n";
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(healthy ? 200 : 503, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
