package gpuaas.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Endpoints on this machine that look at the signature before they believe what came. */
final class BenchReceiver implements AutoCloseable {

  private final HttpServer server;
  private final Map<String, String> secrets = new ConcurrentHashMap<>();
  private volatile Consumer<String> arrived = _ -> {};

  BenchReceiver() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
    server.createContext("/", this::handle);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
  }

  String url(int endpoint) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path(endpoint);
  }

  private static String path(int endpoint) {
    return "/hook/" + endpoint;
  }

  /** From now on this endpoint believes whoever signs with this. */
  void expect(int endpoint, String secret) {
    secrets.put(path(endpoint), secret);
  }

  /** Who is told of the id of each event that arrives. */
  void tell(Consumer<String> listener) {
    arrived = listener;
  }

  private void handle(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    var headers = exchange.getRequestHeaders();
    String secret = secrets.getOrDefault(exchange.getRequestURI().getPath(), "");
    boolean ours = isSigned(secret, headers.getFirst("Gpuaas-Signature"), body);
    exchange.sendResponseHeaders(ours ? 204 : 401, -1);
    exchange.close();
    if (ours) {
      arrived.accept(headers.getFirst("Gpuaas-Event-Id"));
    }
  }

  private static boolean isSigned(String secret, String signature, String body) {
    String time = signature.substring(2, signature.indexOf(','));
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(US_ASCII), "HmacSHA256"));
      String expected = HexFormat.of().formatHex(mac.doFinal((time + "." + body).getBytes(UTF_8)));
      return signature.endsWith(",v1=" + expected);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
