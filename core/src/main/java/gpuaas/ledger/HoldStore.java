package gpuaas.ledger;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.SqlStatement;

/** Holds in the database. Whoever changes one has the row of its lease. */
public final class HoldStore {

  private HoldStore() {}

  static void add(Tx tx, Hold hold) {
    var insert =
        tx.update(
            """
            insert into hold (lease_id, tenant_id, project_id, api_key_id, gpu_model, gpu_count, price_per_gpu_hour_micros,
              currency, made_at, held_micros, cost_micros, refills, started_at, used_to, closed_at)
            values (:lease, :tenant, :project, :apiKey::uuid, :gpuModel, :gpuCount, :price,
              :currency, :madeAt, :held, :cost, :refills, :startedAt, :usedTo, :closedAt)
            """);
    bindState(insert, hold)
        .bind("tenant", hold.owner().tenant())
        .bind("project", hold.owner().project())
        .bind("apiKey", hold.owner().apiKey().orElse(null))
        .bind("gpuModel", hold.gpuModel())
        .bind("gpuCount", hold.gpuCount())
        .bind("price", hold.pricePerGpuHourMicros())
        .bind("currency", hold.currency())
        .bind("madeAt", hold.madeAt());
    insert.execute();
  }

  static void write(Tx tx, Hold hold) {
    var update =
        tx.update(
            """
            update hold set held_micros = :held, cost_micros = :cost, refills = :refills, started_at = :startedAt,
              used_to = :usedTo, closed_at = :closedAt where lease_id = :lease
            """);
    bindState(update, hold);
    update.execute();
  }

  private static SqlStatement<?> bindState(SqlStatement<?> statement, Hold hold) {
    statement
        .bind("lease", hold.owner().lease())
        .bind("held", hold.heldMicros())
        .bind("cost", hold.costMicros())
        .bind("refills", hold.refills())
        .bind("startedAt", hold.startedAt().orElse(null))
        .bind("usedTo", hold.usedTo().orElse(null))
        .bind("closedAt", hold.closedAt().orElse(null));
    return statement;
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
