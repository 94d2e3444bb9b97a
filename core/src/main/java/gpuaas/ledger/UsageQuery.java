package gpuaas.ledger;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.Optional;
import java.util.UUID;

/**
 * Which use to add up, and how. Buckets are in UTC; use at their edges and at {@code start} and
 * {@code end} is cut.
 *
 * @param tenant only of this tenant
 * @param project and only of this project
 * @param lease and only of this lease
 * @param start from here
 * @param end up to here, and never beyond {@code now}
 * @param now running leases count up to now, though that is not written down yet
 * @param after rows after this one only
 */
public record UsageQuery(
    UUID tenant,
    Optional<UUID> project,
    Optional<UUID> lease,
    Bucket bucket,
    GroupBy groupBy,
    Instant start,
    Instant end,
    Instant now,
    Optional<Key> after,
    int limit) {

  /** The same over another time, which begins and ends where a bucket does or where this does. */
  UsageQuery within(Instant newStart, Instant newEnd, int newLimit) {
    return new UsageQuery(
        tenant, project, lease, bucket, groupBy, newStart, newEnd, now, after, newLimit);
  }

  /** How long a bucket is. */
  public enum Bucket {
    HOUR,
    DAY,
    /** From Monday, as in ISO 8601. */
    WEEK,
    MONTH;

    /** The beginning of the one that comes so many after that of this moment. */
    Instant after(Instant moment, int count) {
      ZonedDateTime hour = moment.atZone(ZoneOffset.UTC).truncatedTo(ChronoUnit.HOURS);
      ZonedDateTime day = hour.truncatedTo(ChronoUnit.DAYS);
      return (switch (this) {
            case HOUR -> hour.plusHours(count);
            case DAY -> day.plusDays(count);
            case WEEK ->
                day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY)).plusWeeks(count);
            case MONTH -> day.withDayOfMonth(1).plusMonths(count);
          })
          .toInstant();
    }

    /** The word of the database. */
    String unit() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** What has a row of its own in each bucket. */
  public enum GroupBy {
    NONE,
    LEASE,
    GPU_MODEL
  }

  /**
   * Where a row is in the order of all.
   *
   * @param group the lease, the model, or nothing
   */
  public record Key(Instant bucketStart, String group) {}

  /**
   * What was used in a bucket.
   *
   * @param lease present when grouped by lease
   * @param gpuModel present when grouped by lease or by model
   * @param gpuSeconds seconds times GPUs
   */
  public record Row(
      Instant bucketStart,
      Optional<UUID> lease,
      Optional<String> gpuModel,
      long gpuSeconds,
      long costMicros,
      Key key) {}
}
