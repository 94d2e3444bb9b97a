package gpuaas.lease;

import gpuaas.spi.Region;
import java.time.Instant;
import java.util.Optional;

/**
 * What stays known of a lease after the state that knew it.
 *
 * @param region of the last place that was tried
 * @param readyAt when it first answered
 * @param reclaimAt when it is taken back, because room is made for another
 * @param dismissedAt when somebody cleared a failed lease away
 */
public record LeaseHistory(
    Optional<Region> region,
    Optional<Instant> readyAt,
    Optional<Instant> dismissedAt,
    Optional<Instant> reclaimAt) {

  /** Of a new lease. */
  public static final LeaseHistory NONE =
      new LeaseHistory(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  LeaseHistory placed(Region where) {
    return new LeaseHistory(Optional.of(where), readyAt, dismissedAt, reclaimAt);
  }

  LeaseHistory ready(Instant at) {
    return new LeaseHistory(region, Optional.of(readyAt.orElse(at)), dismissedAt, reclaimAt);
  }

  LeaseHistory dismissed(Instant at) {
    return new LeaseHistory(region, readyAt, Optional.of(at), reclaimAt);
  }

  LeaseHistory reclaimed(Instant at) {
    return new LeaseHistory(region, readyAt, dismissedAt, Optional.of(at));
  }
}
