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
   */
  record Up(Optional<Endpoint> ssh) implements InstanceStatus {}

  /** It will not come up, or is no longer usable. It still exists and must be destroyed. */
  record Failed(String why) implements InstanceStatus {}
}
