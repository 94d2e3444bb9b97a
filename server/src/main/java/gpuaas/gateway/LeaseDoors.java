package gpuaas.gateway;

import gpuaas.access.Guests;
import gpuaas.access.SshKey;
import gpuaas.access.SshKeys;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The doors of leases. A running lease opens to its own keys, and to the registered ones that it
 * was asked with, as long as they open its project, and to those of its guests; a booting one only
 * to the probe, which proves that it can be entered.
 */
public final class LeaseDoors implements Doors {

  private static final Pattern HOST_NAME = Pattern.compile("lease-[0-9a-f]{12}");

  private final Leases leases;
  private final SshKeys sshKeys;
  private final Guests guests;
  private final Providers providers;
  private final SshKey probeKey;

  public LeaseDoors(
      Leases leases, SshKeys sshKeys, Guests guests, Providers providers, SshKey probeKey) {
    this.leases = leases;
    this.sshKeys = sshKeys;
    this.guests = guests;
    this.providers = providers;
    this.probeKey = probeKey;
  }

  @Override
  public Optional<Door> find(String userName) {
    Optional<Lease> lease = lease(userName);
    if (lease.isEmpty()) {
      return Optional.empty();
    }
    return switch (lease.get().state()) {
      case Running r -> door(lease.get(), r.instance(), holders(lease.get()));
      case Booting b -> door(lease.get(), b.instance(), List.of(probeKey));
      default -> Optional.empty();
    };
  }

  private List<SshKey> holders(Lease lease) {
    LeaseSpec spec = lease.spec();
    return Stream.of(
            spec.ownKeys().stream().map(SshKey::parse),
            sshKeys.holders(lease.project(), spec.sshKeys()).stream(),
            guests.keys(lease.id()).stream())
        .flatMap(keys -> keys)
        .toList();
  }

  /** By id, or by the host name that the environment knows itself by. */
  private Optional<Lease> lease(String userName) {
    if (HOST_NAME.matcher(userName).matches()) {
      return leases.findByHostName(userName);
    }
    try {
      return leases.find(UUID.fromString(userName));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private Optional<Door> door(Lease lease, InstanceRef instance, List<SshKey> holders) {
    return providers
        .ability(instance, HasExec.class)
        .map(exec ->
            new Door(
                lease.id(),
                instance,
                exec,
                providers.ability(instance, HasPorts.class),
                holders,
                Map.of("HOSTNAME", lease.hostName())));
  }
}
