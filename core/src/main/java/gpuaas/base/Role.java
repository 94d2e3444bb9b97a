package gpuaas.base;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a member of a tenant or of a project is there. Each may do what those before it may. */
public enum Role {
  /** Looks. */
  VIEWER,
  /** Uses: leases, disks, keys of their own. */
  MEMBER,
  /** Runs it: members up to their own role, service accounts, webhooks. */
  ADMIN,
  /** Whose it is. */
  OWNER;

  /** The word on the wire, such as {@code viewer}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The role that a word means. */
  public static Optional<Role> of(String text) {
    return Arrays.stream(values()).filter(role -> role.text().equals(text)).findFirst();
  }

  /** True when it may do what the other may. */
  public boolean isAtLeast(Role other) {
    return compareTo(other) >= 0;
  }
}
