package gpuaas.identity;

import gpuaas.base.Caller;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Somebody with a name here. */
public record Person(
    UUID id,
    String username,
    String email,
    boolean admin,
    UUID tenant,
    UUID defaultProject,
    boolean disabled) {

  /** What they may do. */
  public Set<Caller.Role> roles() {
    return admin ? EnumSet.of(Caller.Role.USER, Caller.Role.ADMIN) : EnumSet.of(Caller.Role.USER);
  }

  /** Them as a caller, in their default project. */
  public Caller caller(String correlationId) {
    return new Caller(
        id, username, tenant, defaultProject, roles(), Optional.empty(), correlationId);
  }
}
