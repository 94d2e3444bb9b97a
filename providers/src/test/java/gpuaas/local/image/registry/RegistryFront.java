package gpuaas.local.image.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands before a real registry, and answers in its place when a test wants it. */
public final class RegistryFront implements AutoCloseable {

  /** True when it has answered; else the registry does. */
  public interface Answer {
    boolean to(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final TestRegistry registry;
  private final Answer answer;
  private final HttpClient client = HttpClient.newHttpClient();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /** Starts it on a loopback port. */
  public RegistryFront(TestRegistry registry, Answer answer) throws IOException {
    this.registry = registry;
    this.answer = answer;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** As it is named in references and settings. */
  public String name() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!answer.to(exchange)) {
        forward(exchange);
      }
    }
  }

  private void forward(HttpExchange exchange) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + registry.name() + exchange.getRequestURI()))
            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.noBody());
    for (String accept : exchange.getRequestHeaders().getOrDefault("Accept", List.of())) {
      request.header("Accept", accept);
    }
    try {
      HttpResponse<byte[]> said =
          client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      for (String name : List.of("Content-Type", "Docker-Content-Digest", "Location")) {
        said.headers()
            .firstValue(name)
            .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
      }
      send(exchange, said.statusCode(), said.body());
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  /** Answers with these bytes. */
  public static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
