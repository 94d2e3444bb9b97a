package gpuaas.local;

import gpuaas.spi.ExecChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Somebody at a terminal: types, and reads on until a text has come. */
final class Typist {

  private final ExecChannel channel;
  private final StringBuilder seen = new StringBuilder();

  Typist(ExecChannel channel) {
    this.channel = channel;
    Thread.ofVirtual().start(this::read);
  }

  void type(String text) throws IOException {
    channel.input().write(text.getBytes(StandardCharsets.UTF_8));
    channel.input().flush();
  }

  /** Waits for a text that has not been awaited before. */
  void await(String text) {
    Inside.eventually(text + " is on the terminal, where there is: " + seen, () -> take(text));
  }

  private boolean take(String text) {
    synchronized (seen) {
      int at = seen.indexOf(text);
      if (at >= 0) {
        seen.delete(0, at + text.length());
      }
      return at >= 0;
    }
  }

  private void read() {
    byte[] bytes = new byte[4096];
    try {
      for (int count; (count = channel.output().read(bytes)) >= 0; ) {
        synchronized (seen) {
          seen.append(new String(bytes, 0, count, StandardCharsets.UTF_8));
        }
      }
    } catch (IOException closed) {
      synchronized (seen) {
        seen.append("[closed]");
      }
    }
  }
}
