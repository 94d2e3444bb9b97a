package gpuaas.local.linux;

import gpuaas.local.linux.Processes.Identity;
import gpuaas.spi.ExecChannel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A process inside an environment, seen through the program on the host that started it. Closing
 * ends the process inside too, which would outlive that program.
 */
public final class InsideChannel implements ExecChannel {

  private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final ExecChannel host;
  private final Path pidFile;
  private final String cgroup;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Wraps the channel of the program on the host.
   *
   * @param pidFile where it writes the number of the process inside
   * @param cgroup in the path of every process of the environment
   */
  public InsideChannel(ExecChannel host, Path pidFile, String cgroup) {
    this.host = host;
    this.pidFile = pidFile;
    this.cgroup = cgroup;
  }

  @Override
  public OutputStream input() {
    return host.input();
  }

  @Override
  public InputStream output() {
    return host.output();
  }

  @Override
  public InputStream error() {
    return host.error();
  }

  @Override
  public void resize(int columns, int rows) {
    host.resize(columns, rows);
  }

  @Override
  public void signal(String name) {
    host.signal(name);
  }

  @Override
  public int waitFor() throws InterruptedException {
    return host.waitFor();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Optional<Identity> inside = findInside().filter(Identity::isAlive);
      // First the group: once its leader is gone, nobody could tell that it was this group.
      inside.ifPresent(process -> signalGroup(process, SystemCalls.SIGHUP));
      host.close();
      Thread.ofVirtual().name("exec-end").start(() -> end(inside));
    }
  }

  /** After the hang-up a grace, and then the end. */
  private void end(Optional<Identity> known) {
    long deadline = System.nanoTime() + GRACE_NANOS;
    Optional<Identity> inside = known;
    while (System.nanoTime() < deadline && inside.map(Identity::isAlive).orElse(true)) {
      if (inside.isEmpty()) {
        // Closed before it was up: it may still come.
        inside = findInside();
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
    inside.filter(Identity::isAlive).ifPresent(late -> signalGroup(late, SystemCalls.SIGKILL));
    deletePidFile();
  }

  /** Only a process of this environment: the number may be somebody else's by now. */
  private Optional<Identity> findInside() {
    try {
      String text = Files.readString(pidFile).strip();
      if (text.isEmpty()) {
        return Optional.empty();
      }
      return Processes.identify(Long.parseLong(text))
          .filter(process -> Processes.isInCgroup(process.pid(), cgroup));
    } catch (IOException notWritten) {
      return Optional.empty();
    }
  }

  private static void signalGroup(Identity leader, int signal) {
    try {
      // Whoever enters an environment leads a session and a group of its own.
      SystemCalls.kill(-leader.pid(), signal);
    } catch (IOException gone) {
      // It has ended by itself.
    }
  }

  private void deletePidFile() {
    try {
      Files.deleteIfExists(pidFile);
    } catch (IOException leftForRemoval) {
      // It goes with the environment's folder.
    }
  }
}
