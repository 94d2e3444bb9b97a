package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A development STS with a port of its own, on loopback only. */
public final class DevelopmentStsListener implements AutoCloseable {

  private static final int BODY_BYTES_MOST = 64 * 1024;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private DevelopmentStsListener(HttpServer server) {
    this.server = server;
  }

  /**
   * Listens.
   *
   * @param port 0 takes a free one
   */
  public static DevelopmentStsListener start(DevelopmentSts sts, int port) throws IOException {
    DevelopmentStsListener listener =
        new DevelopmentStsListener(
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
    listener.server.setExecutor(listener.threads);
    listener.server.createContext("/", exchange -> answer(sts, exchange));
    listener.server.start();
    return listener;
  }

  /** Where it is: what the log-in's settings take as the STS endpoint. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  static void answer(DevelopmentSts sts, HttpExchange exchange) throws IOException {
    try {
      byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MOST + 1);
      if (body.length > BODY_BYTES_MOST) {
        exchange.sendResponseHeaders(413, -1);
        return;
      }
      Map<String, String> headers = new LinkedHashMap<>();
      for (Map.Entry<String, List<String>> header : exchange.getRequestHeaders().entrySet()) {
        headers.put(header.getKey().toLowerCase(Locale.ROOT), header.getValue().getFirst());
      }
      URI uri = exchange.getRequestURI();
      DevelopmentSts.Answer answer =
          sts.handle(
              exchange.getRequestMethod(),
              uri.getRawPath(),
              StsParameters.decoded(Optional.ofNullable(uri.getRawQuery()).orElse("")),
              headers,
              new String(body, UTF_8));
      byte[] xml = answer.xml().getBytes(UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/xml");
      exchange.sendResponseHeaders(answer.status(), xml.length);
      exchange.getResponseBody().write(xml);
    } catch (AwsSignature.Malformed unreadable) {
      exchange.sendResponseHeaders(400, -1);
    } finally {
      exchange.close();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
