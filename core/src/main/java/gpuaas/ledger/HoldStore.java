package gpuaas.ledger;

import gpuaas.db.Batch;
import gpuaas.db.Insert;
import gpuaas.db.Rows;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.SqlStatement;

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

  private static final Rows<Hold> CHANGES =
      Rows.<Hold>called("hold_after")
          .with("lease_id", "uuid", hold -> hold.owner().lease())
          .with("held_micros", "bigint", Hold::heldMicros)
          .with("cost_micros", "bigint", Hold::costMicros)
          .with("refills", "integer", Hold::refills)
          .with("started_at", "timestamptz", hold -> hold.startedAt().orElse(null))
          .with("used_to", "timestamptz", hold -> hold.usedTo().orElse(null))
          .with("closed_at", "timestamptz", hold -> hold.closedAt().orElse(null));

  private static final Batch<Hold> CHANGED =
      new Batch<>() {
        private static final String SQL =
            """
            update hold set held_micros = hold_after.held_micros, cost_micros = hold_after.cost_micros,
              refills = hold_after.refills, started_at = hold_after.started_at, used_to = hold_after.used_to,
              closed_at = hold_after.closed_at
              from %s where hold.lease_id = hold_after.lease_id
            """
                .formatted(CHANGES.table())
                .strip();

        @Override
        public String sql(int rows) {
          return SQL;
        }

        @Override
        public void bind(SqlStatement<?> statement, List<Hold> rows) {
          CHANGES.bind(statement, rows);
        }
      };

  private HoldStore() {}

  static void add(Tx tx, Hold hold) {
    tx.later(ROWS, hold);
  }

  static void write(Tx tx, Hold hold) {
    tx.later(CHANGED, hold);
  }

  /** What is set aside for a lease, and what it has cost. */
  public static Optional<Hold> find(Tx tx, UUID lease) {
    return tx.query("select * from hold where lease_id = :lease")
        .bind("lease", lease)
        .map(HoldStore::read)
        .findOne();
  }

  /** The same for some. */
  static Map<UUID, Hold> find(Tx tx, List<UUID> leases) {
    return tx
        .query("select * from hold where lease_id = any(:leases)")
        .bindArray("leases", UUID.class, leases)
        .map(HoldStore::read)
        .stream()
        .collect(Collectors.toMap(hold -> hold.owner().lease(), hold -> hold));
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
