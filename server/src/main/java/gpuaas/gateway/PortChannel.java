package gpuaas.gateway;

import gpuaas.spi.HasPorts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.channel.ChannelPipedInputStream;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.channel.AbstractServerChannel;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a port inside the instance ({@code ssh -L}, {@code -W}, {@code -D}). The instance
 * itself is the only destination, and its provider makes the connection in the instance's own
 * network. The SSH library's forwarder must never be used: it would connect from this host.
 */
final class PortChannel extends AbstractServerChannel {

  private static final int PART = 32 * 1024;
  private static final Duration LAST_BYTES = Duration.ofSeconds(5);

  private final Visits visits;
  private final AtomicInteger directions = new AtomicInteger(2);
  private @Nullable ChannelPipedInputStream input;
  private @Nullable Runnable hangUp;
  private @Nullable Visit placed;
  private long window;
  private boolean closed;

  private PortChannel(Visits visits) {
    super(null);
    this.visits = visits;
  }

  static ChannelFactory factory(Visits visits) {
    return new ChannelFactory() {
      @Override
      public String getName() {
        return "direct-tcpip";
      }

      @Override
      public Channel createChannel(Session session) {
        return new PortChannel(visits);
      }
    };
  }

  @Override
  protected OpenFuture doInit(Buffer buffer) {
    String host = buffer.getString();
    int port = buffer.getInt();
    DefaultOpenFuture opened = new DefaultOpenFuture(this, this);
    Visit visit = Visits.of(getSession());
    Optional<Door> door = visit == null ? Optional.empty() : visits.admit(visit);
    Optional<HasPorts> ports =
        door.filter(found -> found.isItself(host)).flatMap(Door::ports).filter(_ -> isPort(port));
    if (visit == null || door.isEmpty() || ports.isEmpty()) {
      fail(opened, SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, null);
      return opened;
    }
    if (!visits.takePlace(visit)) {
      fail(opened, SshConstants.SSH_OPEN_RESOURCE_SHORTAGE, null);
      return opened;
    }
    placed = visit;
    ChannelPipedInputStream fromClient = new ChannelPipedInputStream(this, getLocalWindow());
    input = fromClient;
    Thread.ofVirtual()
        .name("ssh-connect")
        .start(() -> {
          SocketChannel connected;
          try {
            connected = ports.get().connect(door.get().instance(), port);
          } catch (IOException | RuntimeException e) {
            fail(opened, SshConstants.SSH_OPEN_CONNECT_FAILED, e);
            return;
          }
          begin(opened, connected, fromClient, visit);
        });
    return opened;
  }

  private static boolean isPort(int port) {
    return port > 0 && port < 65_536;
  }

  private void fail(DefaultOpenFuture opened, int reason, @Nullable Throwable cause) {
    SshChannelOpenException failure =
        new SshChannelOpenException(getChannelId(), reason, "not connected", cause);
    signalChannelOpenFailure(failure);
    opened.setException(failure);
    close(true);
  }

  private void begin(
      DefaultOpenFuture opened,
      SocketChannel connected,
      ChannelPipedInputStream fromClient,
      Visit visit) {
    Thread feeding =
        Thread.ofVirtual().name("ssh-port-in").unstarted(() -> feed(fromClient, connected, visit));
    if (!keep(connected, feeding)) {
      fail(opened, SshConstants.SSH_OPEN_CONNECT_FAILED, null);
      return;
    }
    signalChannelOpenSuccess(); // tells the client, so it must come before the first byte
    opened.setOpened();
    feeding.start();
    Thread.ofVirtual().name("ssh-port-out").start(() -> drain(connected, visit));
  }

  /** False: the client is gone already. */
  private synchronized boolean keep(SocketChannel connected, Thread feeding) {
    if (closed) {
      closeQuietly(connected);
      return false;
    }
    hangUp = () -> hangUp(connected, feeding);
    return true;
  }

  /** What the client sent before it left shall still arrive, if the other side reads it. */
  private static void hangUp(SocketChannel connected, Thread feeding) {
    try {
      var _ = feeding.join(LAST_BYTES);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    closeQuietly(connected);
  }

  private void feed(ChannelPipedInputStream from, SocketChannel to, Visit visit) {
    byte[] part = new byte[PART];
    try {
      for (int count; (count = from.read(part)) >= 0; ) {
        visit.received(count);
        ByteBuffer buffer = ByteBuffer.wrap(part, 0, count);
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
      }
      to.shutdownOutput();
      oneDirectionLess();
    } catch (IOException _) {
      close(false); // without an end of file, for it is none
    }
  }

  private void drain(SocketChannel from, Visit visit) {
    ByteBuffer buffer = ByteBuffer.allocate(PART);
    try {
      ChannelWriter to = ChannelWriter.output(this, visit);
      while (from.read(buffer) >= 0) {
        to.write(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
      sendEof();
      oneDirectionLess();
    } catch (IOException _) {
      close(false);
    }
  }

  private void oneDirectionLess() {
    if (directions.decrementAndGet() == 0) {
      close(false);
    }
  }

  @Override
  protected void doWriteData(byte[] data, int offset, long length) throws IOException {
    ChannelPipedInputStream to = input;
    if (to == null || isClosing()) {
      return;
    }
    try {
      to.receive(data, offset, (int) length);
    } catch (IOException e) {
      if (!isClosing()) { // else it came while the connection ended, which is nobody's fault
        throw e;
      }
    }
  }

  @Override
  protected void doWriteExtendedData(byte[] data, int offset, long length) throws IOException {
    getLocalWindow().release(length); // there is no error stream on a connection
  }

  @Override
  public void handleEof() throws IOException {
    super.handleEof();
    ChannelPipedInputStream to = input;
    if (to != null) {
      to.eof();
    }
  }

  @Override
  protected void configureWindow() {
    if (window == 0) {
      window = visits.windows().take();
      CoreModuleProperties.WINDOW_SIZE.set(this, window);
    }
    super.configureWindow();
  }

  @Override
  protected void preClose() {
    visits.windows().giveBack(window);
    if (placed != null) {
      placed.leavePlace();
    }
    synchronized (this) {
      closed = true;
      if (hangUp != null) {
        Thread.ofVirtual().name("ssh-port-end").start(hangUp);
      }
    }
    ChannelPipedInputStream to = input;
    if (to != null) {
      to.eof();
    }
    super.preClose();
  }

  private static void closeQuietly(SocketChannel socket) {
    try {
      socket.close();
    } catch (IOException _) {
      // It is gone, which is all we want.
    }
  }
}
