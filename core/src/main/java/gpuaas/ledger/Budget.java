package gpuaas.ledger;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;

/**
 * What may be spent or used at most, by a project or by an API key.
 *
 * @param owner the project or the key
 * @param mostMicros of money; empty: any amount
 * @param mostGpuSeconds of use; empty: any amount
 */
public record Budget(
    UUID id,
    UUID tenant,
    Scope scope,
    UUID owner,
    Period period,
    Optional<Long> mostMicros,
    Optional<Long> mostGpuSeconds) {

  /** Whose leases count. */
  public enum Scope {
    PROJECT,
    API_KEY
  }

  /** Which use counts. */
  public enum Period {
    /** All there ever was. */
    TOTAL,
    /** From the first of the month, in UTC. */
    MONTH;

    /** From when on use counts. */
    Instant start(Instant now) {
      return switch (this) {
        case TOTAL -> Instant.EPOCH;
        case MONTH ->
            now.atZone(ZoneOffset.UTC)
                .toLocalDate()
                .withDayOfMonth(1)
                .atStartOfDay(ZoneOffset.UTC)
                .toInstant();
      };
    }
  }

  /** What it is, for people: {@code the budget of the project for this month}. */
  public String title() {
    String whose = scope == Scope.PROJECT ? "the project" : "the API key";
    return "the budget of " + whose + (period == Period.MONTH ? " for this month" : "");
  }

  /**
   * What counts against a budget.
   *
   * @param micros spent up to now
   * @param gpuSeconds used up to now
   * @param heldMicros set aside for leases
   * @param gpusHeld how many GPUs leases have or wait for
   */
  record Spent(long micros, long gpuSeconds, long heldMicros, long gpusHeld) {}
}
