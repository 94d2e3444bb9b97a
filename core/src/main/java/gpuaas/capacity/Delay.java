package gpuaas.capacity;

import gpuaas.catalog.Want;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Why a lease waits.
 *
 * @param position 1 is next
 * @param reason a sentence for its owner
 * @param estimatedStart when enough holders will have ended by themselves; empty when that is not
 *     known
 */
public record Delay(int position, String reason, Optional<Instant> estimatedStart) {

  /**
   * Pure.
   *
   * @param ahead how many wait before it
   * @param knownEnds when holders of such GPUs end by themselves, soonest first
   */
  public static Delay explain(Want want, int ahead, Availability there, List<Instant> knownEnds) {
    String free =
        there.gpusFree()
            + " of "
            + there.gpusTotal()
            + " "
            + want.gpuModel()
            + (there.gpusTotal() == 1 ? " GPU is" : " GPUs are")
            + " free";
    String reason;
    if (there.gpusTotal() == 0) {
      reason = "No machine with " + want.gpuModel() + " GPUs is ready to take it now.";
    } else if (ahead > 0) {
      reason =
          free + ", and " + ahead + (ahead == 1 ? " lease waits" : " leases wait") + " before it.";
    } else if (there.largestFree() < want.gpuCount()) {
      reason = free + "; it needs " + want.gpuCount() + " on one machine.";
    } else {
      reason = "It is about to be placed.";
    }
    int missing = Math.max(1, ahead + 1);
    Optional<Instant> start =
        knownEnds.size() >= missing ? Optional.of(knownEnds.get(missing - 1)) : Optional.empty();
    return new Delay(ahead + 1, reason, start);
  }
}
