package gpuaas.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.javalin.websocket.WsConfig;
import io.javalin.websocket.WsContext;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** WebSockets as the server library has them, told to their routes. */
final class Sockets {

  private static final int CLOSED_BY_PEER = 1001;
  private static final Duration HANG_UP = Duration.ofSeconds(5);

  private Sockets() {}

  /** Opens sockets of a route. */
  static void mount(WsConfig ws, SocketRoute route) {
    Map<String, SocketRoute.Listener> listeners = new ConcurrentHashMap<>();
    ws.onConnect(context -> {
      SocketRoute.Listener listener =
          route.opener().open(handshake(context), new JettySocket(context));
      listeners.put(context.sessionId(), listener);
    });
    ws.onMessage(context -> {
      SocketRoute.Listener listener = listeners.get(context.sessionId());
      if (listener != null) {
        listener.received(context.message().getBytes(UTF_8), true);
      }
    });
    ws.onBinaryMessage(context -> {
      SocketRoute.Listener listener = listeners.get(context.sessionId());
      if (listener != null) {
        byte[] bytes = new byte[context.data().remaining()];
        context.data().get(bytes);
        listener.received(bytes, false);
      }
    });
    ws.onClose(context -> {
      SocketRoute.Listener listener = listeners.remove(context.sessionId());
      if (listener != null) {
        listener.closed();
      }
    });
  }

  private static SocketRoute.Handshake handshake(WsContext context) {
    Map<String, String> headers = new HashMap<>();
    context.headerMap().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
    List<String> offered =
        Arrays.stream(headers.getOrDefault("sec-websocket-protocol", "").split(",", 20))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .toList();
    String remote =
        context.session.getRemoteSocketAddress() instanceof InetSocketAddress address
            ? address.getHostString()
            : "";
    return new SocketRoute.Handshake(context.pathParamMap(), offered, headers, remote);
  }

  /**
   * Sends one frame after the other, and waits for each: whoever reads slowly is written to slowly.
   */
  private record JettySocket(WsContext context) implements SocketRoute.Socket {
    @Override
    public boolean send(String text) {
      org.eclipse.jetty.websocket.api.Callback.Completable sent =
          new org.eclipse.jetty.websocket.api.Callback.Completable();
      context.session.sendText(text, sent);
      try {
        sent.join();
        return true;
      } catch (CompletionException e) {
        return false;
      }
    }

    @Override
    public void close(int code, String reason) {
      context.session.close(
          code == 0 ? CLOSED_BY_PEER : code, reason, org.eclipse.jetty.websocket.api.Callback.NOOP);
      // The close frame waits behind what a peer that reads nothing has not taken.
      Thread.ofVirtual().name("socket-hang-up").start(this::hangUp);
    }

    private void hangUp() {
      LockSupport.parkNanos(HANG_UP.toNanos());
      if (context.session.isOpen()) {
        context.session.disconnect();
      }
    }
  }
}
