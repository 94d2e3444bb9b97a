package gpuaas.spi;

import java.util.Set;

/**
 * The truth about what keeps tenants apart and what is held to its limit. Shown with every offer
 * and node, and never better than what was proved on the machine itself.
 */
public record Assurance(Isolation isolation, Set<Limit> limitsEnforced, GpuMode gpuMode) {

  public Assurance {
    limitsEnforced = Set.copyOf(limitsEnforced);
  }

  /** What stands between two tenants. */
  public enum Isolation {
    /** Namespaces of an unprivileged user; the host's files are visible read-only. */
    BASIC,
    /** A container with a user namespace, system call filter, and its own network. */
    STANDARD,
    /** A kernel of its own in user space. */
    SANDBOXED,
    /** A virtual or physical machine of its own. */
    MACHINE
  }

  /** What is held to its limit. */
  public enum Limit {
    CPU,
    MEMORY,
    PIDS,
    DISK,
    DEVICES
  }

  /** What stands behind the word GPU. */
  public enum GpuMode {
    /** The whole device. */
    PASSTHROUGH,
    /** A hardware partition of a device. */
    PARTITION,
    /** None: declared in the settings, for trying things out. Everything else is real. */
    SIMULATED
  }
}
