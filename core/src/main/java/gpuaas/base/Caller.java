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
 * @param standing what they are there
 * @param key the API key that the request came with; empty for somebody who logged in
 * @param origin where the request came from
 * @param correlationId follows the request through logs, events and audit
 */
public record Caller(
    UUID user,
    String name,
    UUID tenant,
    UUID project,
    Standing standing,
    Optional<Key> key,
    String correlationId,
    Origin origin) {

  /** Somebody of whom it is not known where they are. */
  public Caller(
      UUID user,
      String name,
      UUID tenant,
      UUID project,
      Standing standing,
      Optional<Key> key,
      String correlationId) {
    this(user, name, tenant, project, standing, key, correlationId, Origin.INSIDE);
  }

  /** The same, known to come from there. */
  public Caller from(Origin place) {
    return new Caller(user, name, tenant, project, standing, key, correlationId, place);
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

  /** True for an administrator of the whole platform. */
  public boolean isAdmin() {
    return standing.platformAdmin();
  }

  /** True for who came with something that allows less than they themselves may do. */
  public boolean isConfined() {
    return key.isPresent() || standing.only().isPresent();
  }

  /** Refuses with {@link Refusal.Denied} unless the caller may do this. */
  public void require(Action action) {
    if (!may(action)) {
      throw new Refused(new Refusal.Denied(action));
    }
  }

  /** True when the caller's role allows it, and the key, if there is one, does too. */
  public boolean may(Action action) {
    return standing.allows(action)
        && key.map(granted -> granted.actions().contains(action)).orElse(true);
  }

  /**
   * Refuses with {@link Refusal.Denied} unless this is the caller's own, or they run the project.
   */
  public void requireOwn(UUID owner, Action action) {
    boolean runs = standing.effective().filter(role -> role.isAtLeast(Role.ADMIN)).isPresent();
    if (!user.equals(owner) && !runs && !isAdmin()) {
      throw new Refused(new Refusal.Denied(action));
    }
  }

  /** True when a thing of this project is this caller's to see; a key sees its own project only. */
  public boolean sees(UUID projectOfThing) {
    return (isAdmin() && !isConfined()) || project.equals(projectOfThing);
  }
}
