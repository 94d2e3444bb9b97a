package gpuaas.spi;

import java.time.Duration;
import java.util.Optional;

/** What a provider says of an instance that exists. */
public sealed interface InstanceStatus {

  /** On its way up. Look again after {@code lookAgainIn}, which says how fast this provider is. */
  record Starting(Duration lookAgainIn) implements InstanceStatus {}

  /**
   * The provider says it is up.
   *
   * @param ssh where it answers; empty when it is reached through {@link HasExec} alone
   * @param memoryKills how many of its processes were ended since it began because it had no memory
   *     left; 0 where that is not counted
   */
  record Up(Optional<Endpoint> ssh, int memoryKills) implements InstanceStatus {
    /** Where nobody counts what ends for lack of memory. */
    public Up(Optional<Endpoint> ssh) {
      this(ssh, 0);
    }
  }

  /** It will not come up, or is no longer usable. It still exists and must be destroyed. */
  record Failed(String why) implements InstanceStatus {}
}
