package gpuaas.gateway;

import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRef;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process inside an instance, between an SSH channel and its {@link ExecChannel}: a virtual
 * thread for each direction, so that whoever is slow holds up whoever is quick, and nothing piles
 * up.
 */
final class LeaseCommand implements Command {

  private static final Logger LOG = LoggerFactory.getLogger(LeaseCommand.class);
  private static final int PART = 32 * 1024;
  private static final int MOST_ORDERS = 64;
  private static final int CANNOT_START = 255;

  private final Door door;
  private final ExecRequest request;
  private final Visit visit;
  private final BlockingQueue<Consumer<ExecChannel>> orders = new ArrayBlockingQueue<>(MOST_ORDERS);

  private InputStream input = InputStream.nullInputStream();
  private ExitCallback exit = (_, _, _) -> {};
  private @Nullable ExecChannel process;
  private boolean destroyed;

  LeaseCommand(Door door, ExecRequest request, Visit visit) {
    this.door = door;
    this.request = request;
    this.visit = visit;
  }

  @Override
  public void setInputStream(InputStream input) {
    this.input = input;
  }

  @Override
  public void setOutputStream(OutputStream output) {} // ours wait properly, see ChannelWriter

  @Override
  public void setErrorStream(OutputStream error) {}

  @Override
  public void setExitCallback(ExitCallback exit) {
    this.exit = exit;
  }

  /** Follows the client's window. */
  void resize(int columns, int rows) {
    order(to -> to.resize(columns, rows));
  }

  void signal(String name) {
    order(to -> to.signal(name));
  }

  /** In order, and never on the thread that reads from the client; too many are dropped. */
  private void order(Consumer<ExecChannel> order) {
    var _ = orders.offer(order);
  }

  @Override
  public void start(ChannelSession channel, Environment environment) {
    ChannelWriter output = ChannelWriter.output(channel, visit);
    ChannelWriter error = ChannelWriter.error(channel, visit);
    Thread.ofVirtual().name("ssh-command").start(() -> run(output, error));
  }

  private void run(OutputStream output, OutputStream error) {
    int code = CANNOT_START;
    try (ExecChannel started = door.exec().exec(door.instance(), request)) {
      if (keep(started)) {
        code = talk(started, output, error);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      InstanceRef instance = door.instance();
      LOG.warn("no process in {} of {}", instance.id(), instance.provider(), e);
      tell(error);
    } finally {
      exit.onExit(code);
    }
  }

  private int talk(ExecChannel started, OutputStream output, OutputStream error)
      throws InterruptedException {
    Thread obeying = Thread.ofVirtual().name("ssh-orders").start(() -> obey(started));
    Thread.ofVirtual().name("ssh-input").start(() -> feed(started.input()));
    Thread complaining =
        Thread.ofVirtual().name("ssh-error").start(() -> copy(started.error(), error));
    try {
      copy(started.output(), output);
      complaining.join();
      return started.waitFor();
    } finally {
      obeying.interrupt();
    }
  }

  /** False: the client is gone already. */
  private synchronized boolean keep(ExecChannel started) {
    process = started;
    return !destroyed;
  }

  private void obey(ExecChannel started) {
    try {
      while (true) {
        orders.take().accept(started);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the process has ended
    } catch (RuntimeException e) {
      LOG.debug("an order failed", e);
    }
  }

  /**
   * To the end of what the client sends, which the process is then told. What a process no longer
   * reads is thrown away: the client may still want to read from it.
   */
  private void feed(OutputStream into) {
    boolean wanted = true;
    byte[] part = new byte[PART];
    try (OutputStream closing = into) {
      for (int count; (count = input.read(part)) >= 0; ) {
        visit.received(count);
        if (wanted) {
          wanted = pass(part, count, closing);
        }
      }
    } catch (IOException _) {
      // The client, or the process, is gone; the other side sees that for itself.
    }
  }

  private static boolean pass(byte[] part, int count, OutputStream into) {
    try {
      into.write(part, 0, count);
      into.flush();
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static void copy(InputStream from, OutputStream to) {
    byte[] part = new byte[PART];
    try {
      for (int count; (count = from.read(part)) >= 0; ) {
        to.write(part, 0, count);
      }
    } catch (IOException _) {
      // As above.
    }
  }

  private static void tell(OutputStream error) {
    try {
      error.write("The command could not be started.\r\n".getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // Nobody is there to be told.
    }
  }

  @Override
  public void destroy(ChannelSession channel) {
    ExecChannel started;
    synchronized (this) {
      destroyed = true;
      started = process;
    }
    if (started != null) {
      Thread.ofVirtual().name("ssh-end").start(started::close);
    }
  }
}
