package gpuaas.market;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks at all machines at once. Markets allow few calls, and one for each machine would soon be
 * too many; so a look is shared by all who ask within a short time.
 */
final class Looks {

  private final MarketApi api;
  private final InstantSource clock;
  private final Duration ageMost;
  private Map<String, Machine> seen = new HashMap<>();
  private Instant lookedAt = Instant.MIN;

  /**
   * @param ageMost zero: nothing is shared, and every machine is asked for by itself
   */
  Looks(MarketApi api, InstantSource clock, Duration ageMost) {
    this.api = api;
    this.clock = clock;
    this.ageMost = ageMost;
  }

  /** A machine as it was lately; empty: it was not in the list, which proves nothing. */
  synchronized Optional<Machine> find(String machine) {
    if (ageMost.isZero()) {
      return Optional.empty();
    }
    if (!clock
        .instant()
        .isBefore(lookedAt.equals(Instant.MIN) ? lookedAt : lookedAt.plus(ageMost))) {
      look();
    }
    return Optional.ofNullable(seen.get(machine));
  }

  /** All machines as they are now. */
  synchronized List<Machine> fresh() {
    look();
    return List.copyOf(seen.values());
  }

  private void look() {
    Instant began = clock.instant();
    Map<String, Machine> found = new HashMap<>();
    api.list().forEach(machine -> found.put(machine.id(), machine));
    seen = found;
    lookedAt = began;
  }

  /** Something was done to this one: what was seen of it no longer holds. */
  synchronized void forget(String machine) {
    seen.remove(machine);
  }
}
