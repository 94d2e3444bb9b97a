package gpuaas.market.sim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import gpuaas.market.MarketHttp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A simulated market on a port of this machine's loopback. Beside the market's own paths there is
 * {@code /sim/…}, which orders faults and shows the books; see {@link SimAdmin}.
 */
public final class SimServer implements AutoCloseable {

  private static final int BODY_BYTES_MOST = 256 * 1024;
  private static final String ADMIN = "/sim/";

  private final SimApi api;
  private final SimMarket market;
  private final SimFaults faults;
  private final SimAdmin admin;
  private final String key;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentMap<String, LongAdder> calls = new ConcurrentHashMap<>();
  private @Nullable HttpServer server;
  private int port;

  /**
   * @param key the one API key that is known
   * @param seed of the faults that come by themselves
   */
  public SimServer(SimApi api, SimMarket market, String key, long seed) {
    this.api = api;
    this.market = market;
    this.key = key;
    this.faults = new SimFaults(seed);
    this.admin = new SimAdmin(market, faults);
  }

  /** Begins to listen; a port of 0 is any that is free. */
  public synchronized SimServer start(int onPort) {
    try {
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      HttpServer listening = HttpServer.create(new InetSocketAddress(loopback, onPort), 0);
      listening.createContext("/", this::handle);
      listening.setExecutor(threads);
      listening.start();
      server = listening;
      port = listening.getAddress().getPort();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on port " + onPort, e);
    }
  }

  /** Stops listening, as if the machine were gone; {@link #resume} listens again. */
  public synchronized void pause() {
    if (server != null) {
      server.stop(0);
      server = null;
    }
  }

  /** Listens again, on the port it had. */
  public synchronized void resume() {
    if (server == null) {
      start(port);
    }
  }

  /** What clients call: the base of every path. */
  public synchronized URI url() {
    return URI.create("http://127.0.0.1:" + port + api.base());
  }

  /** The faults, to order some. */
  public SimFaults faults() {
    return faults;
  }

  /** How often an operation was called. */
  public long calls(String operation) {
    return calls.getOrDefault(operation, new LongAdder()).sum();
  }

  /** What there is, and what it has cost. */
  public SimMarket market() {
    return market;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] bytes = exchange.getRequestBody().readNBytes(BODY_BYTES_MOST + 1);
      if (bytes.length > BODY_BYTES_MOST) {
        send(exchange, SimAnswer.text(413, "too long"), false);
        return;
      }
      URI uri = exchange.getRequestURI();
      if (uri.getPath().startsWith(ADMIN)) {
        SimCall call = call(exchange, uri.getPath(), bytes);
        send(exchange, admin.answer(call), false);
      } else if (!uri.getPath().startsWith(api.base() + "/")) {
        send(exchange, SimAnswer.text(404, "not found"), false);
      } else {
        market(exchange, call(exchange, uri.getPath().substring(api.base().length()), bytes));
      }
    }
  }

  private void market(HttpExchange exchange, SimCall call) throws IOException {
    String operation = api.operation(call);
    calls.computeIfAbsent(operation, _ -> new LongAdder()).increment();
    Map<SimFaults.Kind, Long> now = faults.take(operation);
    pause(now.getOrDefault(SimFaults.Kind.SLOW, 0L));
    if (now.containsKey(SimFaults.Kind.RESET)) {
      return; // the connection ends without a word
    }
    SimAnswer answer = answer(call, now);
    if (now.containsKey(SimFaults.Kind.LOSE_REPLY)) {
      return;
    }
    pause(now.getOrDefault(SimFaults.Kind.HANG, 0L));
    send(exchange, answer, now.containsKey(SimFaults.Kind.TRUNCATE));
  }

  private SimAnswer answer(SimCall call, Map<SimFaults.Kind, Long> now) {
    if (now.containsKey(SimFaults.Kind.TOO_MANY)) {
      return api.tooMany();
    }
    if (now.containsKey(SimFaults.Kind.BROKEN)) {
      return SimAnswer.text(502, "<html><body>Bad gateway</body></html>");
    }
    if (now.containsKey(SimFaults.Kind.UNKNOWN_KEY) || !call.key().equals(key)) {
      return api.unknownKey();
    }
    if (now.containsKey(SimFaults.Kind.QUOTA)) {
      return api.quotaUsedUp();
    }
    return api.answer(call);
  }

  private static void pause(long millis) {
    if (millis > 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
  }

  private static SimCall call(HttpExchange exchange, String path, byte[] body) {
    Map<String, String> query = new LinkedHashMap<>();
    String raw = exchange.getRequestURI().getRawQuery();
    if (raw != null) {
      for (String pair : raw.split("&", 50)) {
        String[] parts = pair.split("=", 2);
        query.put(decode(parts[0]), parts.length == 2 ? decode(parts[1]) : "");
      }
    }
    String header = exchange.getRequestHeaders().getFirst("Authorization");
    String bearer =
        header != null && header.startsWith("Bearer ") ? header.substring("Bearer ".length()) : "";
    return new SimCall(exchange.getRequestMethod(), path, query, bearer, json(body));
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  private static JsonNode json(byte[] body) {
    try {
      return body.length == 0
          ? MissingNode.getInstance()
          : MarketHttp.JSON.readTree(new String(body, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    }
  }

  private static void send(HttpExchange exchange, SimAnswer answer, boolean half)
      throws IOException {
    byte[] all = answer.body().getBytes(StandardCharsets.UTF_8);
    int length = half ? all.length / 2 : all.length;
    answer.headers().forEach(exchange.getResponseHeaders()::set);
    exchange.sendResponseHeaders(answer.status(), length == 0 ? -1 : length);
    if (length > 0) {
      exchange.getResponseBody().write(all, 0, length);
    }
  }

  @Override
  public void close() {
    pause();
    threads.shutdownNow();
    market.close();
  }
}
