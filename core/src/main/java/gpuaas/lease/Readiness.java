package gpuaas.lease;

import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import java.util.Optional;

/** Proves that an instance can be used, in the way its user will. */
@FunctionalInterface
public interface Readiness {

  /**
   * Tries once, within a limit of its own.
   *
   * @param ssh what the provider says; empty when it is reached through the gateway
   * @return where it answered; empty: not yet
   */
  Optional<Endpoint> prove(Lease lease, InstanceRef instance, Optional<Endpoint> ssh)
      throws InterruptedException;
}
