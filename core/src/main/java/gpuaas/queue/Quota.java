package gpuaas.queue;

import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * How many GPUs somebody may hold at once.
 *
 * @param owner a person or a project
 * @param gpuModel in our spelling; empty: all models together
 * @param guaranteed so many are sure: for them others make room who hold more than is sure to them
 * @param most nobody holds more than this, however much is free; empty: any number
 */
public record Quota(
    Scope scope, UUID owner, String gpuModel, int guaranteed, Optional<Integer> most) {

  /** Whose leases count. */
  public enum Scope {
    PERSON,
    PROJECT;

    /** The name in the database. */
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Quota {
    if (guaranteed < 0 || most.filter(limit -> limit < guaranteed).isPresent()) {
      throw new IllegalArgumentException("guaranteed " + guaranteed + " of at most " + most);
    }
  }

  /** True when GPUs of this model, held by these, count. */
  boolean counts(UUID person, UUID project, String model) {
    boolean theirs =
        switch (scope) {
          case PERSON -> owner.equals(person);
          case PROJECT -> owner.equals(project);
        };
    return theirs && (gpuModel.isEmpty() || gpuModel.equalsIgnoreCase(model));
  }
}
