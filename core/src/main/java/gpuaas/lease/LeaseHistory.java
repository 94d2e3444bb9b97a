package gpuaas.lease;

import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
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
 * @param trouble what went wrong while it ran
 * @param told what its user was told that is told once
 */
public record LeaseHistory(
    Optional<String> provider,
    Optional<Region> region,
    Optional<Instant> readyAt,
    Optional<Instant> dismissedAt,
    Optional<Instant> reclaimAt,
    Set<LeaseSignal.Warning> told,
    Trouble trouble) {

  /**
   * What went wrong while it ran.
   *
   * @param memoryKills how many of its processes were ended because it had no memory left
   * @param memoryKillAt when the last one was seen
   * @param lostGpus ids of GPUs that it has and that do not work; while there are any, its time is
   *     not charged
   */
  public record Trouble(int memoryKills, Optional<Instant> memoryKillAt, List<String> lostGpus) {

    /** Nothing did. */
    public static final Trouble NONE = new Trouble(0, Optional.empty(), List.of());

    public Trouble {
      memoryKillAt = memoryKillAt == null ? Optional.empty() : memoryKillAt;
      lostGpus = lostGpus == null ? List.of() : List.copyOf(lostGpus);
    }
  }

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
          Set.of(),
          Trouble.NONE);

  LeaseHistory placed(Offer offer) {
    return new LeaseHistory(
        Optional.of(offer.provider()),
        Optional.of(offer.region()),
        readyAt,
        dismissedAt,
        reclaimAt,
        told,
        trouble);
  }

  LeaseHistory ready(Instant at) {
    return new LeaseHistory(
        provider, region, Optional.of(readyAt.orElse(at)), dismissedAt, reclaimAt, told, trouble);
  }

  LeaseHistory dismissed(Instant at) {
    return new LeaseHistory(provider, region, readyAt, Optional.of(at), reclaimAt, told, trouble);
  }

  LeaseHistory reclaimed(Instant at) {
    return new LeaseHistory(provider, region, readyAt, dismissedAt, Optional.of(at), told, trouble);
  }

  LeaseHistory told(LeaseSignal.Warning warning) {
    Set<LeaseSignal.Warning> all = EnumSet.of(warning);
    all.addAll(told);
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, all, trouble);
  }

  /** Its end is another one now. */
  LeaseHistory endMoved() {
    Set<LeaseSignal.Warning> still = EnumSet.noneOf(LeaseSignal.Warning.class);
    told.stream().filter(one -> !LeaseSignal.Warning.OF_END.contains(one)).forEach(still::add);
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, still, trouble);
  }

  LeaseHistory killed(int kills, Instant at) {
    return troubled(new Trouble(kills, Optional.of(at), trouble.lostGpus()));
  }

  LeaseHistory lost(List<String> gpus) {
    return troubled(new Trouble(trouble.memoryKills(), trouble.memoryKillAt(), gpus));
  }

  private LeaseHistory troubled(Trouble now) {
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, told, now);
  }
}
