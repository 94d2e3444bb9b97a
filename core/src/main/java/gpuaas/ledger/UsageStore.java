package gpuaas.ledger;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** What was used, by lease. */
public final class UsageStore {

  private UsageStore() {}

  /**
   * Writes usage with the change it follows from; the same second twice is refused by the database.
   */
  public static void append(Tx tx, Usage usage) {
    tx.update(
            """
            insert into usage (lease_id, from_at, to_at, gpu_count, price_per_gpu_hour_micros, evidence)
            values (:lease, :from, :to, :gpuCount, :price, :evidence)
            """)
        .bind("lease", usage.lease())
        .bind("from", usage.from())
        .bind("to", usage.to())
        .bind("gpuCount", usage.gpuCount())
        .bind("price", usage.pricePerGpuHourMicros())
        .bind("evidence", usage.evidence())
        .execute();
  }

  /** All usage of a lease, oldest first. */
  public static List<Usage> ofLease(Tx tx, UUID lease) {
    return tx.query("select * from usage where lease_id = :lease order by from_at limit 100000")
        .bind("lease", lease)
        .map(row ->
            new Usage(
                row.getColumn("lease_id", UUID.class),
                row.getColumn("from_at", Instant.class),
                row.getColumn("to_at", Instant.class),
                row.getColumn("gpu_count", Integer.class),
                row.getColumn("price_per_gpu_hour_micros", Long.class),
                row.getColumn("evidence", String.class)))
        .list();
  }
}
