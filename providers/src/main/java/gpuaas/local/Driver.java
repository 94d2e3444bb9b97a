package gpuaas.local;

import gpuaas.local.gpu.ContainerEdits;
import gpuaas.local.image.Image;
import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The one door to everything that needs privileges: mounts, cgroups, namespaces and the programs
 * that make containers. Nothing outside an implementation touches these, so that a driver can move
 * into a process of its own.
 *
 * <p>A driver remembers nothing that it could not find again: each call works for an environment
 * that another process made.
 */
public interface Driver extends AutoCloseable {

  /** As in the settings. */
  String name();

  /** What stands between two environments, if the probe finds it so. */
  Isolation isolation();

  /**
   * Makes an environment's processes. On return, {@link #exec} works.
   *
   * @param folder the environment's own folder, for its files and the driver's notes
   * @param home a folder of the host's that becomes the login user's home; empty: its image's
   * @throws IOException when it did not come up; what was made is for {@link #remove} to clean up
   */
  void start(
      EnvironmentFolder folder,
      Environment environment,
      Image image,
      ContainerEdits edits,
      Optional<Path> home)
      throws IOException;

  /**
   * Whether {@link #start} takes up the files of one that {@link #remove} took away, so that it can
   * be restarted.
   */
  default boolean startsAgain() {
    return false;
  }

  /** Takes up one that an earlier process has started, and finishes what that had not. */
  default void adopt(EnvironmentFolder folder, Environment environment) throws IOException {}

  /** Whether environments can be members of a gang, which reach each other. */
  default boolean connectsGangs() {
    return false;
  }

  /** Whether those inside are kept from making btrfs subvolumes, which no quota would count. */
  boolean keepsQuotas();

  /** Whether its first process lives. Cheap: starts no process. */
  boolean isAlive(EnvironmentFolder folder);

  /** Whether the kernel has taken the limit on its processors; for the probe. */
  boolean holdsProcessors(EnvironmentFolder folder);

  /**
   * What all its processes have used of processors since it was made; empty: that is not counted.
   */
  Optional<Duration> processorTime(EnvironmentFolder folder);

  /** How many of its processes were ended for lack of memory; 0 where that is not counted. */
  default int memoryKills(EnvironmentFolder folder) {
    return 0;
  }

  /** Starts a process inside, counted against the environment's limits. */
  ExecChannel exec(EnvironmentFolder folder, ExecRequest request) throws IOException;

  /** Connects to a TCP port on the environment's own loopback. */
  SocketChannel connect(EnvironmentFolder folder, int port) throws IOException;

  /**
   * Ends every process and takes away every mount, cgroup and note. Works from any half-made state;
   * nothing there is success. Leaves the folder itself to the caller.
   */
  void remove(EnvironmentFolder folder) throws IOException;

  /** Gives up what is shared between environments. They go on running. */
  @Override
  void close();
}
