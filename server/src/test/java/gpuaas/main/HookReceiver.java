package gpuaas.main;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A receiver of webhooks as its documentation describes one: checks the signature, drops what it
 * has seen. Whatever is not signed right is remembered as a type of its own.
 */
final class HookReceiver implements AutoCloseable {

  private final HttpServer server;
  private final Map<String, JsonNode> events = new LinkedHashMap<>();
  private String secret = "";

  HookReceiver() throws IOException {
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.createContext("/", this::receive);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
  }

  synchronized void secret(String shown) {
    secret = shown;
  }

  private synchronized void receive(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    String id = exchange.getRequestHeaders().getFirst("Gpuai-Event-Id");
    JsonNode event = new ObjectMapper().readTree(body);
    boolean good =
        event.path("id").asText().equals(id)
            && isSigned(exchange.getRequestHeaders().getFirst("Gpuai-Signature"), body);
    events.putIfAbsent(good ? id : "forged " + id, event);
    exchange.sendResponseHeaders(204, -1);
    exchange.close();
  }

  private boolean isSigned(String header, byte[] body) {
    String[] parts = header.split(",");
    String time = parts[0].substring("t=".length());
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
      mac.update((time + ".").getBytes(UTF_8));
      return ("v1=" + HexFormat.of().formatHex(mac.doFinal(body))).equals(parts[1]);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** What was told of an instance, in the order of its coming, each event once. */
  synchronized List<String> types(String instance) {
    return events.entrySet().stream()
        .filter(each -> each.getValue().at("/data/instance/id").asText().equals(instance))
        .map(each ->
            (each.getKey().startsWith("forged") ? "forged " : "")
                + each.getValue().path("type").asText())
        .toList();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
