package gpuaas.gpuaas;

import gpuaas.spi.Eventually;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A terminal as a browser has it: reads text frames, types, and is told why it was closed. */
final class TerminalClient implements WebSocket.Listener, AutoCloseable {

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final boolean reads;
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder frame = new StringBuilder();
  private final List<String> frames = new ArrayList<>();
  private int binaryFrames;
  private int closeCode;
  private WebSocket socket;

  private TerminalClient(boolean reads) {
    this.reads = reads;
  }

  /** Connects as browsers do: the token and others as subprotocols. */
  static TerminalClient open(String url, String... subprotocols) {
    return connect(url, true, Map.of(), subprotocols);
  }

  /** Connects with headers, as programs do. */
  static TerminalClient openWith(String url, Map<String, String> headers) {
    return connect(url, true, headers);
  }

  /** Connects and reads nothing until {@link #readOn}. */
  static TerminalClient openWithoutReading(String url, String token) {
    return connect(url, false, Map.of(), token);
  }

  private static TerminalClient connect(
      String url, boolean reads, Map<String, String> headers, String... subprotocols) {
    TerminalClient client = new TerminalClient(reads);
    WebSocket.Builder builder = HTTP.newWebSocketBuilder().connectTimeout(PATIENCE);
    headers.forEach(builder::header);
    if (subprotocols.length > 0) {
      builder.subprotocols(
          subprotocols[0],
          List.of(subprotocols).subList(1, subprotocols.length).toArray(String[]::new));
    }
    client.socket = builder.buildAsync(URI.create(url), client).join();
    return client;
  }

  String subprotocol() {
    return socket.getSubprotocol();
  }

  @Override
  public void onOpen(WebSocket opened) {
    if (reads) {
      opened.request(1);
    }
  }

  @Override
  public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
    synchronized (this) {
      text.append(data);
      frame.append(data);
      if (last) {
        frames.add(frame.toString());
        frame.setLength(0);
      }
    }
    from.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
    synchronized (this) {
      binaryFrames++;
    }
    from.request(1);
    return null;
  }

  @Override
  public synchronized CompletionStage<?> onClose(WebSocket from, int code, String reason) {
    closeCode = code;
    return null;
  }

  @Override
  public synchronized void onError(WebSocket from, Throwable error) {
    closeCode = 1006;
  }

  void readOn() {
    socket.request(1);
  }

  void type(String typed) {
    socket.sendText(typed, true).join();
  }

  /** For what the server may refuse in the middle. */
  void typeWithoutWaiting(String typed) {
    var _ = socket.sendText(typed, true);
  }

  void type(byte[] typed) {
    socket.sendBinary(ByteBuffer.wrap(typed), true).join();
  }

  synchronized String screen() {
    return text.toString();
  }

  synchronized List<String> frames() {
    return List.copyOf(frames);
  }

  synchronized int binaryFrames() {
    return binaryFrames;
  }

  synchronized int closeCode() {
    return closeCode;
  }

  /** Waits for this text on the screen. */
  void until(String wanted) {
    try {
      Eventually.within(PATIENCE, wanted, () -> screen().contains(wanted));
    } catch (AssertionError e) {
      throw new AssertionError("the screen shows '" + screen() + "', closed " + closeCode(), e);
    }
  }

  /** Waits until the server has closed it; the code. */
  int closed() {
    Eventually.within(PATIENCE, "the terminal is closed", () -> closeCode() != 0);
    return closeCode();
  }

  @Override
  public void close() {
    socket.abort();
  }
}
