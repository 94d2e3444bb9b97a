package gpuaas.base;

import java.util.Optional;
import java.util.Set;

/**
 * How somebody stands in the tenant and the project that they act in.
 *
 * @param platformAdmin may do everything, everywhere
 * @param inTenant their role in the tenant; empty: they are no member
 * @param inProject their role in the project by itself; empty: they are no member
 * @param only what they may do at most, whatever their roles; empty: all that those allow
 */
public record Standing(
    boolean platformAdmin,
    Optional<Role> inTenant,
    Optional<Role> inProject,
    Optional<Set<Action>> only) {

  /** Somebody in what is theirs. */
  public static final Standing OWNER =
      new Standing(false, Optional.of(Role.OWNER), Optional.of(Role.OWNER), Optional.empty());

  /** An administrator of the whole platform. */
  public static final Standing PLATFORM_ADMIN =
      new Standing(true, Optional.of(Role.OWNER), Optional.of(Role.OWNER), Optional.empty());

  public Standing {
    only = only.map(Set::copyOf);
  }

  /** Somebody with a role in a project, and nothing beyond it. */
  public static Standing inProject(Role role, Optional<Set<Action>> only) {
    return new Standing(false, Optional.empty(), Optional.of(role), only);
  }

  /** What they are in the project: who runs a tenant runs all its projects. */
  public Optional<Role> effective() {
    Optional<Role> byTenant = inTenant.filter(role -> role.isAtLeast(Role.ADMIN));
    return inProject
        .filter(role -> byTenant.isEmpty() || role.isAtLeast(byTenant.get()))
        .or(() -> byTenant);
  }

  /** The highest role that they may give to somebody, by where; empty: none. */
  public Optional<Role> highest(Action.Where where) {
    if (platformAdmin) {
      return Optional.of(Role.OWNER);
    }
    return where == Action.Where.TENANT ? inTenant : effective();
  }

  /** True when their roles allow it. */
  public boolean allows(Action action) {
    boolean byRole =
        switch (action.where()) {
          case ANYWHERE -> true;
          case PROJECT -> has(effective(), action);
          case TENANT -> has(inTenant, action);
          case PLATFORM -> platformAdmin;
        };
    return byRole && only.map(actions -> actions.contains(action)).orElse(true);
  }

  private boolean has(Optional<Role> role, Action action) {
    return platformAdmin || role.filter(own -> own.isAtLeast(action.least())).isPresent();
  }
}
