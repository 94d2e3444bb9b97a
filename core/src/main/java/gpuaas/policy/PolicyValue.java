package gpuaas.policy;

import java.time.Instant;
import java.util.Locale;
import java.util.UUID;

/**
 * What somebody set.
 *
 * @param version later ones are higher
 */
public record PolicyValue(Slot slot, long value, UUID setBy, Instant setAt, long version) {

  /** For whom a value is. */
  public enum Scope {
    GLOBAL,
    TENANT,
    PROJECT;

    /** The name outside and in the database. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** On whose behalf it was set. */
  public enum Author {
    /** An administrator of the platform: says what is allowed. */
    PLATFORM,
    /** An administrator of the tenant: can only take less than that. */
    TENANT;

    /** The name outside and in the database. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Where a value is kept; there is one at most.
   *
   * @param owner the tenant or the project; of the global scope {@link #NOBODY}
   */
  public record Slot(PolicyDefinition definition, Scope scope, UUID owner, Author author) {

    /** The owner of what is for all. */
    public static final UUID NOBODY = new UUID(0, 0);

    /** True when it can be set there. */
    boolean isSensible() {
      return scope.compareTo(definition.narrowest()) <= 0
          && (scope != Scope.GLOBAL || author == Author.PLATFORM);
    }
  }
}
