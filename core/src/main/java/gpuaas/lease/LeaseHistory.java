package gpuaas.lease;

import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * What stays known of a lease after the state that knew it.
 *
 * @param provider of the last place that was tried
 * @param region of the same
 * @param readyAt when it first answered
 * @param reclaimAt when it is taken back, because room is made for another
 * @param dismissedAt when somebody cleared a failed lease away
 * @param told what its user was told that is told once
 */
public record LeaseHistory(
    Optional<String> provider,
    Optional<Region> region,
    Optional<Instant> readyAt,
    Optional<Instant> dismissedAt,
    Optional<Instant> reclaimAt,
    Set<LeaseSignal.Warning> told) {

  public LeaseHistory {
    told = Set.copyOf(told);
  }

  /** Of a new lease. */
  public static final LeaseHistory NONE =
      new LeaseHistory(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Set.of());

  LeaseHistory placed(Offer offer) {
    return new LeaseHistory(
        Optional.of(offer.provider()),
        Optional.of(offer.region()),
        readyAt,
        dismissedAt,
        reclaimAt,
        told);
  }

  LeaseHistory ready(Instant at) {
    return new LeaseHistory(
        provider, region, Optional.of(readyAt.orElse(at)), dismissedAt, reclaimAt, told);
  }

  LeaseHistory dismissed(Instant at) {
    return new LeaseHistory(provider, region, readyAt, Optional.of(at), reclaimAt, told);
  }

  LeaseHistory reclaimed(Instant at) {
    return new LeaseHistory(provider, region, readyAt, dismissedAt, Optional.of(at), told);
  }

  LeaseHistory told(LeaseSignal.Warning warning) {
    Set<LeaseSignal.Warning> all = EnumSet.of(warning);
    all.addAll(told);
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, all);
  }

  /** Its end is another one now. */
  LeaseHistory endMoved() {
    Set<LeaseSignal.Warning> still = EnumSet.noneOf(LeaseSignal.Warning.class);
    told.stream().filter(one -> !LeaseSignal.Warning.OF_END.contains(one)).forEach(still::add);
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, still);
  }
}
