package gpuaas.ledger;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What leases have cost, added up by where they were and what they had. */
public final class CostStore {

  private CostStore() {}

  /**
   * Which use to add up.
   *
   * @param consumer for whom of the project's own users; empty: all
   * @param lease only this one; empty: all
   * @param start from here
   * @param end up to here, and never beyond {@code now}
   */
  public record Query(
      UUID project,
      Optional<String> consumer,
      Optional<UUID> lease,
      Instant start,
      Instant end,
      Instant now) {}

  /**
   * What was used of one kind at one provider.
   *
   * @param seconds of leases, however many GPUs they have
   */
  public record Row(String provider, String gpuModel, int leases, long seconds, long costMicros) {}

  /** A row for each provider and model. Seconds and costs are those that the bills have. */
  public static List<Row> sums(Tx tx, Query query) {
    return tx.query(
            """
            with used as (
              select hold.lease_id, coalesce(lease.provider, '') as provider, hold.gpu_model, hold.started_at,
                     hold.price_per_gpu_hour_micros::numeric * hold.gpu_count as hour_price,
                     least(case when closed_at is null then greatest(used_to, :now) else used_to end, :end) as to_at
                from hold join lease on lease.id = hold.lease_id
               where hold.project_id = :project
                 and (:lease::uuid is null or hold.lease_id = :lease::uuid)
                 and (:consumer::text is null or lease.spec -> 'notes' ->> 'consumer_id' = :consumer)
                 and hold.started_at < :end and (hold.closed_at is null or hold.used_to > :start)
            ), part as (
              select used.*,
                     floor(extract(epoch from greatest(:start, started_at) - started_at)) as seconds_from,
                     floor(extract(epoch from to_at - started_at)) as seconds_to
                from used where to_at > greatest(started_at, :start)
            )
            select provider, gpu_model, count(distinct lease_id)::int as leases,
                   sum(seconds_to - seconds_from)::bigint as seconds,
                   sum(div(seconds_to * hour_price, 3600) - div(seconds_from * hour_price, 3600))::bigint as cost_micros
              from part group by provider, gpu_model order by provider, gpu_model limit 10000
            """)
        .bind("project", query.project())
        .bind("consumer", query.consumer().orElse(null))
        .bind("lease", query.lease().orElse(null))
        .bind("start", query.start())
        .bind("end", query.end())
        .bind("now", query.now())
        .map(row ->
            new Row(
                row.getColumn("provider", String.class),
                row.getColumn("gpu_model", String.class),
                row.getColumn("leases", Integer.class),
                row.getColumn("seconds", Long.class),
                row.getColumn("cost_micros", Long.class)))
        .list();
  }
}
