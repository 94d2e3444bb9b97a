package gpuaas.identity;

import gpuaas.base.Role;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** Which groups at an issuer are which roles here. What no group says is left as it is. */
public record GroupRoles(List<Rule> rules) {

  public GroupRoles {
    rules = List.copyOf(rules);
  }

  /**
   * One group, one role.
   *
   * @param tenant where; empty: an administrator of the platform
   */
  public record Rule(String group, Optional<UUID> tenant, Role role) {}

  /**
   * What somebody is by their groups.
   *
   * @param admin empty: no rule speaks of administrators
   * @param tenants what they are in each tenant that a rule speaks of; empty: nothing
   */
  public record Given(Optional<Boolean> admin, Map<UUID, Optional<Role>> tenants) {
    public Given {
      tenants = Map.copyOf(tenants);
    }
  }

  /** What somebody is who is in these groups; of several roles in a tenant, the highest. */
  public Given of(Collection<String> groups) {
    Set<String> all = new TreeSet<>(groups);
    Optional<Boolean> admin = Optional.empty();
    Map<UUID, Optional<Role>> tenants = new HashMap<>();
    for (Rule rule : rules) {
      boolean in = all.contains(rule.group());
      if (rule.tenant().isEmpty()) {
        admin = Optional.of(in || admin.orElse(false));
      } else {
        tenants.merge(
            rule.tenant().get(),
            in ? Optional.of(rule.role()) : Optional.empty(),
            GroupRoles::higher);
      }
    }
    return new Given(admin, tenants);
  }

  private static Optional<Role> higher(Optional<Role> one, Optional<Role> other) {
    return one.isPresent() && (other.isEmpty() || one.get().compareTo(other.get()) > 0)
        ? one
        : other;
  }

  /** Reads rules such as {@code operators=platform-admin,research=TENANT:member}. */
  public static Optional<GroupRoles> parse(String text) {
    List<Rule> rules = new java.util.ArrayList<>();
    for (String part : text.split(",", 1000)) {
      if (part.isBlank()) {
        continue;
      }
      Optional<Rule> rule = rule(part.strip());
      if (rule.isEmpty()) {
        return Optional.empty();
      }
      rules.add(rule.get());
    }
    return Optional.of(new GroupRoles(rules));
  }

  private static Optional<Rule> rule(String text) {
    int equals = text.lastIndexOf('=');
    if (equals < 1) {
      return Optional.empty();
    }
    String group = text.substring(0, equals).strip();
    String[] parts = text.substring(equals + 1).strip().split(":", 2);
    if (parts.length == 1) {
      return parts[0].equals("platform-admin")
          ? Optional.of(new Rule(group, Optional.empty(), Role.OWNER))
          : Optional.empty();
    }
    try {
      UUID tenant = UUID.fromString(parts[0]);
      return Role.of(parts[1]).map(role -> new Rule(group, Optional.of(tenant), role));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
