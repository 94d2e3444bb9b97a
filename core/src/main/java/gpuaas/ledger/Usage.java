package gpuaas.ledger;

import java.time.Instant;
import java.util.UUID;

/**
 * The use of a lease over {@code [from, to)}. Lease and start are unique together: no second counts
 * twice.
 *
 * @param evidence what proves it, such as {@code inspected} or {@code stop-asked}
 */
public record Usage(
    UUID lease,
    Instant from,
    Instant to,
    int gpuCount,
    long pricePerGpuHourMicros,
    String evidence) {

  public Usage {
    if (!from.isBefore(to)) {
      throw new IllegalArgumentException("usage from " + from + " to " + to + " is none");
    }
  }
}
