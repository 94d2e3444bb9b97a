package gpuaas.http;

import java.util.List;
import java.util.Map;

/** A path where WebSockets are opened. */
public record SocketRoute(String path, Opener opener) {

  /** Called for each socket when its handshake is done. */
  @FunctionalInterface
  public interface Opener {
    /** What is to be told of what happens on the socket. May close it at once. */
    Listener open(Handshake handshake, Socket socket);
  }

  /**
   * How a socket was asked for.
   *
   * @param subprotocols as offered, in order; the first one was selected
   * @param headers by name in lower case
   */
  public record Handshake(
      Map<String, String> pathParameters,
      List<String> subprotocols,
      Map<String, String> headers,
      String remoteAddress) {}

  /** Our end of a socket. */
  public interface Socket {
    /** Sends, and returns when there is room for more; false: it is closed. */
    boolean send(String text);

    /** Closes with a code and a reason; closing a closed one is fine. */
    void close(int code, String reason);
  }

  /** What happens on a socket. A call that blocks holds the sender back. */
  public interface Listener {
    /** For a socket that was closed at once. */
    Listener NONE =
        new Listener() {
          @Override
          public void received(byte[] data, boolean text) {}

          @Override
          public void closed() {}
        };

    /** Text or bytes came. */
    void received(byte[] data, boolean text);

    /** It is closed, by whomever. Called once. */
    void closed();
  }
}
