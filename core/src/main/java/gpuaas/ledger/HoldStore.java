package gpuaas.ledger;

import gpuaas.db.Insert;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Holds in the database. Whoever changes one has the row of its lease. */
public final class HoldStore {

  private static final Insert<Hold> ROWS =
      Insert.<Hold>into("hold")
          .with("lease_id", "uuid", hold -> hold.owner().lease())
          .with("tenant_id", "uuid", hold -> hold.owner().tenant())
          .with("project_id", "uuid", hold -> hold.owner().project())
          .with("api_key_id", "uuid", hold -> hold.owner().apiKey().orElse(null))
          .with("gpu_model", "text", Hold::gpuModel)
          .with("gpu_count", "integer", Hold::gpuCount)
          .with("price_per_gpu_hour_micros", "bigint", Hold::pricePerGpuHourMicros)
          .with("currency", "text", Hold::currency)
          .with("made_at", "timestamptz", Hold::madeAt)
          .with("held_micros", "bigint", Hold::heldMicros)
          .with("cost_micros", "bigint", Hold::costMicros)
          .with("refills", "integer", Hold::refills)
          .with("started_at", "timestamptz", hold -> hold.startedAt().orElse(null))
          .with("used_to", "timestamptz", hold -> hold.usedTo().orElse(null))
          .with("closed_at", "timestamptz", hold -> hold.closedAt().orElse(null));

  private HoldStore() {}

  static void add(Tx tx, Hold hold) {
    tx.later(ROWS, hold);
  }

  static void write(Tx tx, Hold hold) {
    var update =
        tx.update(
            """
            update hold set held_micros = :held, cost_micros = :cost, refills = :refills, started_at = :startedAt,
              used_to = :usedTo, closed_at = :closedAt where lease_id = :lease
            """);
    update
        .bind("lease", hold.owner().lease())
        .bind("held", hold.heldMicros())
        .bind("cost", hold.costMicros())
        .bind("refills", hold.refills())
        .bind("startedAt", hold.startedAt().orElse(null))
        .bind("usedTo", hold.usedTo().orElse(null))
        .bind("closedAt", hold.closedAt().orElse(null))
        .execute();
  }

  /** What is set aside for a lease, and what it has cost. */
  public static Optional<Hold> find(Tx tx, UUID lease) {
    return tx.query("select * from hold where lease_id = :lease")
        .bind("lease", lease)
        .map(HoldStore::read)
        .findOne();
  }

  static Hold read(RowView row) {
    return new Hold(
        new Hold.Owner(
            row.getColumn("lease_id", UUID.class),
            row.getColumn("tenant_id", UUID.class),
            row.getColumn("project_id", UUID.class),
            Optional.ofNullable(row.getColumn("api_key_id", UUID.class))),
        row.getColumn("gpu_model", String.class),
        row.getColumn("gpu_count", Integer.class),
        row.getColumn("price_per_gpu_hour_micros", Long.class),
        row.getColumn("currency", String.class),
        row.getColumn("made_at", Instant.class),
        row.getColumn("held_micros", Long.class),
        row.getColumn("cost_micros", Long.class),
        row.getColumn("refills", Integer.class),
        Optional.ofNullable(row.getColumn("started_at", Instant.class)),
        Optional.ofNullable(row.getColumn("used_to", Instant.class)),
        Optional.ofNullable(row.getColumn("closed_at", Instant.class)));
  }
}
