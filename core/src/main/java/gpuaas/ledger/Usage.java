package gpuaas.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * The use of a lease over {@code [from, to)}. Lease and start are unique together: no second counts
 * twice. Seconds and cost are differences of what had come together since the lease was ready, so
 * that they add up to the same however the time is cut.
 *
 * @param since when the lease was proved to be ready
 * @param start what proves its beginning
 * @param end what proves its end
 */
public record Usage(
    UUID lease,
    Instant since,
    Instant from,
    Instant to,
    int gpuCount,
    long pricePerGpuHourMicros,
    Evidence start,
    Evidence end) {

  private static final long SECONDS_OF_HOUR = 3600;

  public Usage {
    if (!from.isBefore(to) || from.isBefore(since)) {
      throw new IllegalArgumentException(
          "usage from " + from + " to " + to + ", ready since " + since + ", is none");
    }
  }

  /** Whole seconds that this adds to those since the lease was ready. */
  public long seconds() {
    return secondsTo(to) - secondsTo(from);
  }

  /** What this adds to the cost since the lease was ready. */
  public long costMicros() {
    return cost(secondsTo(to), gpuCount, pricePerGpuHourMicros)
        - cost(secondsTo(from), gpuCount, pricePerGpuHourMicros);
  }

  private long secondsTo(Instant time) {
    return Duration.between(since, time).toSeconds();
  }

  /** What so many seconds cost; a begun millionth is not charged. */
  public static long cost(long seconds, int gpuCount, long pricePerGpuHourMicros) {
    long perHour = Math.multiplyExact(pricePerGpuHourMicros, gpuCount);
    long hours = Math.multiplyExact(seconds / SECONDS_OF_HOUR, perHour);
    return Math.addExact(
        hours, Math.multiplyExact(seconds % SECONDS_OF_HOUR, perHour) / SECONDS_OF_HOUR);
  }
}
