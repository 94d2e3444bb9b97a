package gpuaas.market;

import gpuaas.spi.ExecChannel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.util.buffer.Buffer;

/** A process in a rented machine, on an SSH connection of its own, which ends with it. */
final class SshExec implements ExecChannel {

  private static final int NO_CODE = 255;
  private static final int BY_SIGNAL = 128;
  private static final int UNKNOWN_SIGNAL = 9;
  private static final Map<String, Integer> NUMBERS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "ABRT", 6, "KILL", 9, "USR1", 10, "SEGV", 11, "USR2", 12,
          "PIPE", 13, "TERM", 15);

  private final ClientSession session;
  private final ChannelExec channel;
  private final CountDownLatch closed = new CountDownLatch(1);

  /**
   * @param channel not open yet
   */
  SshExec(ClientSession session, ChannelExec channel) {
    this.session = session;
    this.channel = channel;
    channel.addCloseFutureListener(_ -> closed.countDown());
  }

  @Override
  public OutputStream input() {
    return channel.getInvertedIn();
  }

  @Override
  public InputStream output() {
    return channel.getInvertedOut();
  }

  @Override
  public InputStream error() {
    return channel.getInvertedErr();
  }

  @Override
  public void resize(int columns, int rows) {
    try {
      if (channel.isUsePty()) {
        channel.sendWindowChange(columns, rows);
      }
    } catch (IOException e) {
      // It has ended, and needs no size.
    }
  }

  @Override
  public void signal(String name) {
    if (!NUMBERS.containsKey(name)) {
      return;
    }
    try {
      Buffer buffer = session.createBuffer(SshConstants.SSH_MSG_CHANNEL_REQUEST);
      buffer.putUInt(channel.getRecipient());
      buffer.putString("signal");
      buffer.putBoolean(false);
      buffer.putString(name);
      var _ = channel.writePacket(buffer);
    } catch (IOException e) {
      // It has ended, which is what signals are mostly for.
    }
  }

  @Override
  public int waitFor() throws InterruptedException {
    closed.await();
    Integer code = channel.getExitStatus();
    if (code != null) {
      return code;
    }
    String signal = channel.getExitSignal();
    return signal == null ? NO_CODE : BY_SIGNAL + NUMBERS.getOrDefault(signal, UNKNOWN_SIGNAL);
  }

  @Override
  public void close() {
    session.close(true);
  }
}
