package gpuaas.proxy;

import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import gpuaas.web.Web;
import gpuaas.web.Webs;
import java.util.Optional;
import java.util.UUID;

/** The ways to leases. */
public final class LeaseWebDoors implements WebDoors {

  private static final String HOST_NAME = "lease-";

  private final Webs webs;
  private final Leases leases;
  private final Providers providers;

  public LeaseWebDoors(Webs webs, Leases leases, Providers providers) {
    this.webs = webs;
    this.leases = leases;
    this.providers = providers;
  }

  @Override
  public Optional<WebDoor> find(String lease) {
    Optional<Web> web =
        lease.startsWith(HOST_NAME)
            ? webs.findByHostName(lease)
            : webs.find(UUID.fromString(lease));
    return web.flatMap(found -> leases.find(found.lease()).map(one -> door(found, one)));
  }

  private WebDoor door(Web web, Lease lease) {
    Optional<InstanceRef> instance =
        lease.state() instanceof Running running
            ? Optional.of(running.instance())
            : Optional.empty();
    return new WebDoor(
        web,
        instance.flatMap(
            one -> providers.ability(one, HasPorts.class).map(ports -> new Inside(one, ports))),
        words(lease.state()));
  }

  private static String words(LeaseState state) {
    return switch (state) {
      case LeaseState.Waiting _ -> "waits for its turn";
      case LeaseState.Provisioning _, LeaseState.Booting _ -> "is being prepared";
      case LeaseState.Running _ -> "runs on a machine whose ports cannot be reached from here";
      case LeaseState.Stopping _, LeaseState.Ended _ -> "has ended";
    };
  }
}
