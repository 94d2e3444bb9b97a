package gpuaas.ledger;

import gpuaas.db.Insert;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.ledger.UsageQuery.GroupBy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** What was used, by lease. */
public final class UsageStore {

  /** Buckets in one part, so that the doubling ends. */
  private static final int WIDTH_MOST = 10_000;

  private static final Insert<Usage> ROWS =
      Insert.<Usage>into("usage")
          .with("lease_id", "uuid", Usage::lease)
          .with("from_at", "timestamptz", Usage::from)
          .with("to_at", "timestamptz", Usage::to)
          .with("gpu_count", "integer", Usage::gpuCount)
          .with("price_per_gpu_hour_micros", "bigint", Usage::pricePerGpuHourMicros)
          .with("seconds", "bigint", Usage::seconds)
          .with("cost_micros", "bigint", Usage::costMicros)
          .with("start_evidence", "jsonb", usage -> Json.write(usage.start()))
          .with("end_evidence", "jsonb", usage -> Json.write(usage.end()));

  private UsageStore() {}

  /**
   * Writes usage with the change it follows from; the same second twice is refused by the database,
   * at the latest with the commit.
   */
  static void append(Tx tx, Usage usage) {
    tx.later(ROWS, usage);
  }

  /** All usage of a lease, oldest first. */
  public static List<Usage> ofLease(Tx tx, UUID lease) {
    return tx.query(
            """
            select usage.*, min(from_at) over () as since from usage
             where lease_id = :lease order by from_at limit 100000
            """)
        .bind("lease", lease)
        .map(row ->
            new Usage(
                row.getColumn("lease_id", UUID.class),
                row.getColumn("since", Instant.class),
                row.getColumn("from_at", Instant.class),
                row.getColumn("to_at", Instant.class),
                row.getColumn("gpu_count", Integer.class),
                row.getColumn("price_per_gpu_hour_micros", Long.class),
                Json.read(row.getColumn("start_evidence", String.class), Evidence.class),
                Json.read(row.getColumn("end_evidence", String.class), Evidence.class)))
        .list();
  }

  /**
   * Use added up by time and group, ordered by bucket and group. Seconds and costs are those that
   * the bills have: a lease's buckets add up to its bill.
   *
   * <p>Looks at a part of the time after the other, each twice as long as the one before, and no
   * further than the limit needs: a page of a year of hours costs no more than its own hours.
   */
  public static List<UsageQuery.Row> buckets(Tx tx, UsageQuery query) {
    Instant end = query.end().isBefore(query.now()) ? query.end() : query.now();
    Instant from =
        query
            .after()
            .map(UsageQuery.Key::bucketStart)
            .filter(query.start()::isBefore)
            .orElse(query.start());
    List<UsageQuery.Row> rows = new ArrayList<>();
    for (int width = query.limit();
        rows.size() < query.limit() && from.isBefore(end);
        width = Math.min(2 * width, WIDTH_MOST)) {
      Instant boundary = query.bucket().after(from, width);
      Instant to = boundary.isBefore(end) ? boundary : end;
      rows.addAll(part(tx, query.within(from, to, query.limit() - rows.size())));
      from = to;
    }
    return rows;
  }

  private static List<UsageQuery.Row> part(Tx tx, UsageQuery query) {
    return tx.query(
            """
            with used as (
              select lease_id, gpu_model, gpu_count, price_per_gpu_hour_micros::numeric * gpu_count as hour_price, started_at,
                     least(case when closed_at is null then greatest(used_to, :now) else used_to end, :end) as to_at
                from hold
               where tenant_id = :tenant and (:project::uuid is null or project_id = :project::uuid)
                 and (:lease::uuid is null or lease_id = :lease::uuid)
                 and started_at < :end and (closed_at is null or used_to > :start)
            ), part as (
              select bucket at time zone 'UTC' as bucket_start, used.*,
                     floor(extract(epoch from greatest(bucket at time zone 'UTC', :start, started_at) - started_at)) as seconds_from,
                     floor(extract(epoch from least((bucket + ('1 ' || :unit)::interval) at time zone 'UTC', to_at) - started_at)) as seconds_to
                from used cross join lateral generate_series(
                       date_trunc(:unit, greatest(started_at, :start) at time zone 'UTC'),
                       (to_at at time zone 'UTC') - interval '1 microsecond',
                       ('1 ' || :unit)::interval) as bucket
               where to_at > greatest(started_at, :start)
            ), row as (
              select bucket_start,
                     case :groupBy when 'LEASE' then lease_id::text when 'GPU_MODEL' then gpu_model else '' end as group_key,
                     min(gpu_model) as gpu_model,
                     sum(gpu_count * (seconds_to - seconds_from))::bigint as gpu_seconds,
                     sum(div(seconds_to * hour_price, 3600) - div(seconds_from * hour_price, 3600))::bigint as cost_micros
                from part group by 1, 2
            )
            select * from row
             where :afterBucket::timestamptz is null or (bucket_start, group_key collate "C") > (:afterBucket::timestamptz, :afterGroup)
             order by bucket_start, group_key collate "C" limit :limit
            """)
        .bind("tenant", query.tenant())
        .bind("project", query.project().orElse(null))
        .bind("lease", query.lease().orElse(null))
        .bind("unit", query.bucket().unit())
        .bind("groupBy", query.groupBy().name())
        .bind("start", query.start())
        .bind("end", query.end())
        .bind("now", query.now())
        .bind("afterBucket", query.after().map(UsageQuery.Key::bucketStart).orElse(null))
        .bind("afterGroup", query.after().map(UsageQuery.Key::group).orElse(null))
        .bind("limit", query.limit())
        .map(row -> read(row, query.groupBy()))
        .list();
  }

  private static UsageQuery.Row read(RowView row, GroupBy groupBy) {
    Instant bucketStart = row.getColumn("bucket_start", Instant.class);
    String group = row.getColumn("group_key", String.class);
    return new UsageQuery.Row(
        bucketStart,
        groupBy == GroupBy.LEASE ? Optional.of(UUID.fromString(group)) : Optional.empty(),
        groupBy == GroupBy.NONE
            ? Optional.empty()
            : Optional.of(row.getColumn("gpu_model", String.class)),
        row.getColumn("gpu_seconds", Long.class),
        row.getColumn("cost_micros", Long.class),
        new UsageQuery.Key(bucketStart, group));
  }
}
