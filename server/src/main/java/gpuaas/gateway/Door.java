package gpuaas.gateway;

import gpuaas.access.SshKey;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A running instance, and who may enter it.
 *
 * @param ports present if its network can be reached
 * @param holders the keys that open it
 * @param environment variables for every process; {@code HOSTNAME} is a name for its own network
 */
public record Door(
    UUID lease,
    InstanceRef instance,
    HasExec exec,
    Optional<HasPorts> ports,
    List<SshKey> holders,
    Map<String, String> environment) {

  public Door {
    holders = List.copyOf(holders);
    environment = Map.copyOf(environment);
  }

  /** The holder's key that has this wire form. */
  Optional<SshKey> holder(String blob) {
    return holders.stream().filter(key -> key.blob().equals(blob)).findFirst();
  }

  /** Whether a host name means the instance itself. */
  boolean isItself(String host) {
    return switch (host) {
      case "localhost", "127.0.0.1", "::1" -> true;
      default -> !host.isEmpty() && host.equalsIgnoreCase(environment.get("HOSTNAME"));
    };
  }
}
