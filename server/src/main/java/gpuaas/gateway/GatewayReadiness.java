package gpuaas.gateway;

import gpuaas.access.KeyPairs;
import gpuaas.access.SshProbe;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseParts.Readiness;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest.Launch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proves an instance on the way that its user will take: through the gateway, into it, and a
 * command run.
 */
public final class GatewayReadiness implements Readiness {

  private static final Logger log = LoggerFactory.getLogger(GatewayReadiness.class);

  private final SshProbe probe;
  private final KeyPairs.Pair keys;
  private final Supplier<SshGateway> gateway;
  private final String publicHost;
  private final String bindAddress;
  private final Duration limit;
  private final ServiceHealth health;

  /**
   * @param gateway asked when the first probe is made, for the gateway needs the leases to be made
   * @param publicHost what users are told to connect to
   * @param health for instances that nobody logs in to
   */
  public GatewayReadiness(
      SshProbe probe,
      KeyPairs.Pair keys,
      Supplier<SshGateway> gateway,
      String publicHost,
      String bindAddress,
      Duration limit,
      ServiceHealth health) {
    this.health = health;
    this.probe = probe;
    this.keys = keys;
    this.gateway = gateway;
    this.publicHost = publicHost;
    this.bindAddress = bindAddress;
    this.limit = limit;
  }

  @Override
  public Optional<Endpoint> prove(Lease lease, InstanceRef instance, Optional<Endpoint> ssh)
      throws InterruptedException {
    if (lease.spec().launch().mode() == Launch.Mode.IMAGE) {
      return health.prove(lease, instance);
    }
    Endpoint through = new Endpoint(bindAddress, gateway.get().port(), lease.id().toString());
    SshProbe.Result result = probe.probe(through, keys.keys(), Optional.of(hostKey()), limit);
    return switch (result) {
      case SshProbe.Result.Answered _ ->
          Optional.of(new Endpoint(publicHost, gateway.get().port(), lease.id().toString()));
      case SshProbe.Result.NotYet notYet -> {
        log.info("lease {} does not answer yet: {}", lease.id(), notYet);
        yield Optional.empty();
      }
    };
  }

  private gpuaas.access.SshKey hostKey() {
    List<gpuaas.access.SshKey> keysOfHost = gateway.get().hostKeys();
    return keysOfHost.getFirst();
  }
}
