package gpuaas.base;

import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Who asks, on whose account, and under which correlation id. Passed to every service method, which
 * authorises by it.
 *
 * @param tenant who owns and pays
 * @param project the scope that resources live in
 * @param key the API key that the request came with; empty for somebody who logged in
 * @param correlationId follows the request through logs, events and audit
 */
public record Caller(
    UUID user,
    String name,
    UUID tenant,
    UUID project,
    Set<Role> roles,
    Optional<Key> key,
    String correlationId) {

  public Caller {
    roles = Set.copyOf(roles);
  }

  /**
   * An API key allows no more than its owner may do, and of that only this.
   *
   * @param id of the key, for budgets and the trail
   */
  public record Key(UUID id, Set<Action> actions) {
    public Key {
      actions = Set.copyOf(actions);
    }
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
    if (!may(action)) {
      throw new Refused(new Refusal.Denied(action));
    }
  }

  /** True when the caller's role allows it, and the key, if there is one, does too. */
  public boolean may(Action action) {
    boolean byRole =
        switch (action) {
          case CATALOG_READ,
              SSH_KEY_READ,
              SSH_KEY_WRITE,
              LEASE_READ,
              LEASE_CREATE,
              LEASE_UPDATE,
              LEASE_STOP,
              TERMINAL_OPEN,
              EVENT_READ,
              BILLING_READ,
              WEBHOOK_READ,
              WEBHOOK_WRITE,
              API_KEY_READ,
              API_KEY_WRITE,
              DISK_READ,
              DISK_WRITE ->
              roles.contains(Role.USER) || isAdmin();
          case BILLING_WRITE -> isAdmin();
        };
    return byRole && key.map(granted -> granted.actions().contains(action)).orElse(true);
  }

  /** True when a thing of this project is this caller's to see; a key sees its own project only. */
  public boolean sees(UUID projectOfThing) {
    return (isAdmin() && key.isEmpty()) || project.equals(projectOfThing);
  }
}
