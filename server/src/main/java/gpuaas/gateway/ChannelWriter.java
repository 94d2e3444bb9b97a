package gpuaas.gateway;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.AbstractChannel;
import org.apache.sshd.common.channel.RemoteWindow;
import org.apache.sshd.common.util.buffer.Buffer;

/**
 * Payload towards the client. A write waits for the client's window for as long as it takes (the
 * library's own stream gives up after 30 seconds, which a pager reaches), and for the network: only
 * so much is on its way to the socket at once, however large a window the client claims to have.
 */
final class ChannelWriter extends OutputStream {

  private static final int LARGEST_PART = 32 * 1024;
  private static final Duration LOOK_AGAIN = Duration.ofMinutes(1);

  private final AbstractChannel channel;
  private final byte message;
  private final Visit visit;

  private ChannelWriter(AbstractChannel channel, byte message, Visit visit) {
    this.channel = channel;
    this.message = message;
    this.visit = visit;
  }

  static ChannelWriter output(AbstractChannel channel, Visit visit) {
    return new ChannelWriter(channel, SshConstants.SSH_MSG_CHANNEL_DATA, visit);
  }

  static ChannelWriter error(AbstractChannel channel, Visit visit) {
    return new ChannelWriter(channel, SshConstants.SSH_MSG_CHANNEL_EXTENDED_DATA, visit);
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      for (int done = 0; done < length; ) {
        int part = room(Math.min(length - done, LARGEST_PART));
        while (!visit.unsent.tryAcquire(part, LOOK_AGAIN.toSeconds(), TimeUnit.SECONDS)) {
          checkOpen();
        }
        send(bytes, offset + done, part);
        done += part;
        visit.sent(part);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }

  /** Waits until the client takes something, and takes it from its window. */
  private int room(int wanted) throws IOException, InterruptedException {
    RemoteWindow window = channel.getRemoteWindow();
    while (true) {
      try {
        long available = window.waitForSpace(LOOK_AGAIN);
        int part = (int) Math.min(Math.min(wanted, available), window.getPacketSize());
        window.waitAndConsume(part, LOOK_AGAIN);
        return part;
      } catch (SocketTimeoutException _) {
        checkOpen();
      }
    }
  }

  private void send(byte[] bytes, int offset, int length) throws IOException {
    Buffer buffer = channel.getSession().createBuffer(message, length + 16);
    buffer.putUInt(channel.getRecipient());
    if (message == SshConstants.SSH_MSG_CHANNEL_EXTENDED_DATA) {
      buffer.putUInt(SshConstants.SSH_EXTENDED_DATA_STDERR);
    }
    buffer.putBytes(bytes, offset, length);
    checkOpen();
    var _ = channel.writePacket(buffer).addListener(_ -> visit.unsent.release(length));
  }

  private void checkOpen() throws IOException {
    if (channel.isClosing()) {
      throw new IOException("The channel is closed.");
    }
  }
}
