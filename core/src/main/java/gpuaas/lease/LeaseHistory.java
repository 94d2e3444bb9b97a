package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * @param restarts how often somebody had it started anew
 */
public record LeaseHistory(
    Optional<String> provider,
    Optional<Region> region,
    Optional<Instant> readyAt,
    Optional<Instant> dismissedAt,
    Optional<Instant> reclaimAt,
    Set<LeaseSignal.Warning> told,
    Trouble trouble,
    int restarts) {

  /**
   * What went wrong with it.
   *
   * @param memoryKills how many of its processes were ended because it had no memory left
   * @param memoryKillAt when the last one was seen
   * @param lostGpus ids of GPUs that it has and that do not work; while there are any, its time is
   *     not charged
   * @param failure why it does not come up, in the words of its provider; empty: it does
   * @param stuck why it could not be shown in time that nothing of it is left; empty: it was, or
   *     there is time
   * @param stopAskedAgainAt when somebody last asked to try that anew
   */
  public record Trouble(
      int memoryKills,
      Optional<Instant> memoryKillAt,
      List<String> lostGpus,
      String failure,
      String stuck,
      Optional<Instant> stopAskedAgainAt) {

    /** Nothing did. */
    public static final Trouble NONE =
        new Trouble(0, Optional.empty(), List.of(), "", "", Optional.empty());

    // A part that an earlier version did not write is null.
    public Trouble {
      memoryKillAt = memoryKillAt == null ? Optional.empty() : memoryKillAt;
      lostGpus = lostGpus == null ? List.of() : List.copyOf(lostGpus);
      failure = failure == null ? "" : failure;
      stuck = stuck == null ? "" : stuck;
      stopAskedAgainAt = stopAskedAgainAt == null ? Optional.empty() : stopAskedAgainAt;
    }

    Trouble killed(int kills, Instant at) {
      return new Trouble(kills, Optional.of(at), lostGpus, failure, stuck, stopAskedAgainAt);
    }

    Trouble lost(List<String> gpus) {
      return new Trouble(memoryKills, memoryKillAt, gpus, failure, stuck, stopAskedAgainAt);
    }

    Trouble failed(String why) {
      return new Trouble(memoryKills, memoryKillAt, lostGpus, why, stuck, stopAskedAgainAt);
    }

    Trouble stuck(String why) {
      return new Trouble(memoryKills, memoryKillAt, lostGpus, failure, why, stopAskedAgainAt);
    }

    Trouble stopAskedAgain(Instant at) {
      return new Trouble(memoryKills, memoryKillAt, lostGpus, failure, "", Optional.of(at));
    }

    /** The kernel counts from nothing again. */
    Trouble startedAnew() {
      return new Trouble(0, memoryKillAt, lostGpus, "", stuck, stopAskedAgainAt);
    }

    /** True when its end takes longer than it may. */
    public boolean takesTooLong() {
      return !stuck.isEmpty();
    }

    /** What is new against before. */
    Event.Type news(Trouble before) {
      if (!stuck.equals(before.stuck)) {
        return takesTooLong() ? Event.Type.LEASE_STOP_STUCK : Event.Type.LEASE_STOP_RETRIED;
      }
      if (!failure.equals(before.failure)) {
        return Event.Type.LEASE_FAILING;
      }
      if (lostGpus.equals(before.lostGpus)) {
        return Event.Type.LEASE_OUT_OF_MEMORY;
      }
      return lostGpus.isEmpty() ? Event.Type.LEASE_GPU_BACK : Event.Type.LEASE_GPU_LOST;
    }

    /** The same in small facts. */
    Map<String, String> details() {
      Map<String, String> details = new HashMap<>();
      details.put("memory_kills", Integer.toString(memoryKills));
      details.put("lost_gpus", String.join(",", lostGpus));
      details.put("failure", failure);
      details.put("stuck", stuck);
      details.values().removeIf(text -> text.isEmpty() || text.equals("0"));
      return details;
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
          Trouble.NONE,
          0);

  LeaseHistory placed(Offer offer) {
    return new LeaseHistory(
        Optional.of(offer.provider()),
        Optional.of(offer.region()),
        readyAt,
        dismissedAt,
        reclaimAt,
        told,
        trouble,
        restarts);
  }

  LeaseHistory ready(Instant at) {
    return new LeaseHistory(
        provider,
        region,
        Optional.of(readyAt.orElse(at)),
        dismissedAt,
        reclaimAt,
        told,
        trouble,
        restarts);
  }

  LeaseHistory restarted() {
    return new LeaseHistory(
        provider,
        region,
        readyAt,
        dismissedAt,
        reclaimAt,
        told,
        trouble.startedAnew(),
        restarts + 1);
  }

  LeaseHistory dismissed(Instant at) {
    return new LeaseHistory(
        provider, region, readyAt, Optional.of(at), reclaimAt, told, trouble, restarts);
  }

  LeaseHistory reclaimed(Instant at) {
    return new LeaseHistory(
        provider, region, readyAt, dismissedAt, Optional.of(at), told, trouble, restarts);
  }

  LeaseHistory told(LeaseSignal.Warning warning) {
    Set<LeaseSignal.Warning> all = EnumSet.of(warning);
    all.addAll(told);
    return new LeaseHistory(
        provider, region, readyAt, dismissedAt, reclaimAt, all, trouble, restarts);
  }

  /** Its end is another one now. */
  LeaseHistory endMoved() {
    Set<LeaseSignal.Warning> still = EnumSet.noneOf(LeaseSignal.Warning.class);
    told.stream().filter(one -> !LeaseSignal.Warning.OF_END.contains(one)).forEach(still::add);
    return new LeaseHistory(
        provider, region, readyAt, dismissedAt, reclaimAt, still, trouble, restarts);
  }

  LeaseHistory troubled(Trouble now) {
    return new LeaseHistory(provider, region, readyAt, dismissedAt, reclaimAt, told, now, restarts);
  }
}
