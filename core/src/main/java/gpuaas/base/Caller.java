package gpuaas.base;

import java.util.Set;
import java.util.UUID;

/**
 * Who asks, on whose account, and under which correlation id. Passed to every service method, which
 * authorises by it.
 *
 * @param tenant who owns and pays
 * @param project the scope that resources live in
 * @param correlationId follows the request through logs, events and audit
 */
public record Caller(
    UUID user, String name, UUID tenant, UUID project, Set<Role> roles, String correlationId) {

  public Caller {
    roles = Set.copyOf(roles);
  }

  /** What a person may do. */
  public enum Role {
    /** Everything in the own project. */
    USER,
    /** Everything, everywhere. */
    ADMIN
  }

  /** True for an administrator of the whole platform. */
  public boolean isAdmin() {
    return roles.contains(Role.ADMIN);
  }

  /** Refuses with {@link Refusal.Denied} unless the caller may do this. */
  public void require(Action action) {
    boolean allowed =
        switch (action) {
          case LEASE_READ,
              LEASE_CREATE,
              LEASE_STOP,
              TERMINAL_OPEN,
              SSH_KEY_READ,
              SSH_KEY_WRITE,
              CATALOG_READ ->
              roles.contains(Role.USER) || isAdmin();
        };
    if (!allowed) {
      throw new Refused(new Refusal.Denied(action));
    }
  }

  /** True when a thing of this project is this caller's to see. */
  public boolean sees(UUID projectOfThing) {
    return isAdmin() || project.equals(projectOfThing);
  }
}
