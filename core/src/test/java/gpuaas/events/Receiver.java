package gpuaas.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.ToIntFunction;

/** A receiver of webhooks: a real HTTP server that keeps what came. */
final class Receiver implements AutoCloseable {

  /** A request as it came. */
  record Received(String signature, String eventId, String contentType, String host, String body) {}

  private final HttpServer server;
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private volatile ToIntFunction<Received> status = _ -> 204;
  private volatile String location = "";

  Receiver() throws IOException {
    this(0);
  }

  Receiver(int port) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 50);
    server.createContext("/", this::handle);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    var headers = exchange.getRequestHeaders();
    Received one =
        new Received(
            String.valueOf(headers.getFirst("Test-Signature")),
            String.valueOf(headers.getFirst("Test-Event-Id")),
            String.valueOf(headers.getFirst("Content-Type")),
            String.valueOf(headers.getFirst("Host")),
            new String(exchange.getRequestBody().readAllBytes(), UTF_8));
    received.add(one);
    if (!location.isEmpty()) {
      exchange.getResponseHeaders().set("Location", location);
    }
    exchange.sendResponseHeaders(status.applyAsInt(one), -1);
    exchange.close();
  }

  Receiver answering(int code) {
    status = _ -> code;
    return this;
  }

  Receiver answering(ToIntFunction<Received> decide) {
    status = decide;
    return this;
  }

  Receiver redirectingTo(String url) {
    location = url;
    return answering(307);
  }

  String url() {
    return "http://127.0.0.1:" + port() + "/hook";
  }

  int port() {
    return server.getAddress().getPort();
  }

  List<Received> received() {
    return List.copyOf(received);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
