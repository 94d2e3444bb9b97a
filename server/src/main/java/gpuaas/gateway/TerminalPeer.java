package gpuaas.gateway;

import java.io.IOException;

/** The browser's end of a terminal, whatever library speaks the WebSocket. */
public interface TerminalPeer {

  /**
   * Sends a text frame and waits until it is on its way: that slows a quick process down. Called by
   * one thread at a time; must end with an error when the socket is closed meanwhile.
   */
  void sendText(String text) throws IOException;

  /** Closes the socket. May be called often, and after it was closed. */
  void close(int code, String reason);
}
