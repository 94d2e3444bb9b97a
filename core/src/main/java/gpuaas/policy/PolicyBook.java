package gpuaas.policy;

import gpuaas.policy.PolicyValue.Author;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All values that were set, and what follows from them. What the platform allows is the narrowest
 * value that its administrators set: the project's before the tenant's before the global one before
 * the default. What a tenant's administrators set, again the narrowest, holds if it is less.
 */
final class PolicyBook {

  private final Map<PolicyDefinition, Long> defaults;
  private final Map<Slot, PolicyValue> values;

  PolicyBook(Map<PolicyDefinition, Long> defaults, Collection<PolicyValue> values) {
    this.defaults = Map.copyOf(defaults);
    this.values =
        values.stream()
            .collect(Collectors.toUnmodifiableMap(PolicyValue::slot, Function.identity()));
  }

  /** Where something happens; without a project, and without a tenant, it is said for all there. */
  record Place(Optional<UUID> tenant, Optional<UUID> project) {
    static final Place EVERYWHERE = new Place(Optional.empty(), Optional.empty());

    private List<Slot> slots(PolicyDefinition definition, Author author) {
      return Stream.of(
              project.map(id -> new Slot(definition, Scope.PROJECT, id, author)),
              tenant.map(id -> new Slot(definition, Scope.TENANT, id, author)),
              Optional.of(new Slot(definition, Scope.GLOBAL, Slot.NOBODY, author)))
          .flatMap(Optional::stream)
          .toList();
    }
  }

  /** What holds there, and why. */
  Holding holds(PolicyDefinition definition, Place place) {
    Optional<PolicyValue> allowing = narrowest(definition, place, Author.PLATFORM);
    long allowed = allowing.map(PolicyValue::value).orElseGet(() -> standard(definition));
    Optional<PolicyValue> less =
        narrowest(definition, place, Author.TENANT).filter(own -> own.value() < allowed);
    return new Holding(
        definition,
        less.map(PolicyValue::value).orElse(allowed),
        allowed,
        less.or(() -> allowing).map(PolicyValue::slot));
  }

  private long standard(PolicyDefinition definition) {
    return defaults.getOrDefault(definition, definition.standard());
  }

  private Optional<PolicyValue> narrowest(PolicyDefinition definition, Place place, Author author) {
    return place.slots(definition, author).stream()
        .map(slot -> Optional.ofNullable(values.get(slot)))
        .flatMap(Optional::stream)
        .findFirst();
  }
}
