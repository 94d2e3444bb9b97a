package gpuaas.market.sim;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A rented machine as its market sees it, at one moment.
 *
 * @param label what the renter wrote on it
 * @param details what else the renter said, in the words of the market
 * @param setup how it was to begin
 * @param stoppedAt when the market stopped it; its disk is paid for on and on
 * @param endedAt when it was destroyed, or lost altogether
 */
public record SimRental(
    String id,
    SimOffer offer,
    String label,
    long diskGb,
    Map<String, String> details,
    SimSetup setup,
    SimFate fate,
    Instant madeAt,
    Instant runsFrom,
    Optional<Instant> stoppedAt,
    Optional<Instant> endedAt) {

  /** A line of the market's books, in millionths of a dollar. */
  public record Bill(
      String id, String label, long gpuMillis, long gpuMicros, long diskMicros, boolean open) {
    /** All of it. */
    public long micros() {
      return gpuMicros + diskMicros;
    }
  }

  /** How many GPUs it really has. */
  public int gpus() {
    return fate == SimFate.FEWER_GPUS ? offer.gpus() - 1 : offer.gpus();
  }

  /** What an hour of it costs, disk and all. */
  public long microsPerHour() {
    return offer.microsPerHour() + offer.diskMicrosPerHour(diskGb);
  }

  /** Whether it runs at a moment. */
  public boolean runs(Instant now) {
    return fate != SimFate.CANNOT_START
        && endedAt.isEmpty()
        && stoppedAt.isEmpty()
        && !now.isBefore(runsFrom);
  }

  /** What it has cost until a moment, to the second and less. */
  public Bill bill(Instant now) {
    return bill(madeAt, now);
  }

  /** What it has cost from one moment to another. */
  public Bill bill(Instant from, Instant to) {
    Instant until = endedAt.filter(to::isAfter).orElse(to);
    Instant gpusUntil = stoppedAt.filter(until::isAfter).orElse(until);
    long gpuMillis = fate == SimFate.CANNOT_START ? 0 : millis(later(runsFrom, from), gpusUntil);
    long diskMillis = millis(later(madeAt, from), until);
    return new Bill(
        id,
        label,
        gpuMillis,
        cost(offer.microsPerHour(), gpuMillis),
        cost(offer.diskMicrosPerHour(diskGb), diskMillis),
        endedAt.isEmpty());
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  private static long millis(Instant from, Instant until) {
    return Math.max(0, Duration.between(from, until).toMillis());
  }

  private static long cost(long microsPerHour, long millis) {
    return microsPerHour * millis / Duration.ofHours(1).toMillis();
  }

  /** The same, stopped or ended. */
  SimRental with(Optional<Instant> stopped, Optional<Instant> ended) {
    return new SimRental(
        id, offer, label, diskGb, details, setup, fate, madeAt, runsFrom, stopped, ended);
  }
}
