package gpuaas.lease;

import java.time.Duration;
import java.util.Optional;

/**
 * What keeps a lease from costing more than was meant.
 *
 * @param maxPricePerHourMicros for the whole lease; refused when the price is above it
 * @param idle when to end it because nobody uses it
 */
public record Guards(Optional<Long> maxPricePerHourMicros, Optional<Idle> idle) {

  /** Nothing is guarded. */
  public static final Guards NONE = new Guards(Optional.empty(), Optional.empty());

  /**
   * Nobody uses it: no GPU work, nobody in by SSH or terminal, and the processor below a threshold,
   * all of that for this long.
   *
   * @param cpuPercentBelow of all processors of the lease together
   */
  public record Idle(Duration after, int cpuPercentBelow) {}
}
