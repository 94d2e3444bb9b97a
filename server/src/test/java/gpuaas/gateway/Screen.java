package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.local.pty.TerminalProcess;
import java.io.IOException;

/** What a person sees of a terminal, and has not read yet. */
final class Screen {

  private final TerminalProcess terminal;
  private final StringBuilder unread = new StringBuilder();

  Screen(TerminalProcess terminal) {
    this.terminal = terminal;
  }

  /** Reads up to this text. */
  void until(String text) throws IOException {
    byte[] buffer = new byte[1000];
    while (unread.indexOf(text) < 0) {
      int count = terminal.output().read(buffer);
      if (count < 0) {
        throw new AssertionError("ended before '" + text + "' with '" + unread + "'");
      }
      unread.append(new String(buffer, 0, count, UTF_8));
    }
    unread.delete(0, unread.indexOf(text) + text.length());
  }

  void type(String text) throws IOException {
    terminal.input().write(text.getBytes(UTF_8));
  }
}
