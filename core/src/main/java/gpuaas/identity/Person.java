package gpuaas.identity;

import gpuaas.base.Caller;
import gpuaas.base.Standing;
import java.util.Optional;
import java.util.UUID;

/**
 * Somebody with a name here.
 *
 * @param tenant of their default project
 * @param standing in their default project
 */
public record Person(
    UUID id,
    String username,
    String email,
    boolean admin,
    UUID tenant,
    UUID defaultProject,
    boolean disabled,
    Standing standing) {

  /** Them as a caller, in their default project. */
  public Caller caller(String correlationId) {
    return new Caller(
        id, username, tenant, defaultProject, standing, Optional.empty(), correlationId);
  }
}
