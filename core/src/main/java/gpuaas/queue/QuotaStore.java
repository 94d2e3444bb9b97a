package gpuaas.queue;

import gpuaas.capacity.Reclaim;
import gpuaas.db.Tx;
import gpuaas.queue.Shares.Candidate;
import gpuaas.queue.Shares.Use;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Quotas, and what counts against them. */
final class QuotaStore {

  private static final int QUOTAS_MOST = 10_000;

  private QuotaStore() {}

  static void put(Tx tx, Quota quota, Instant now) {
    tx.update(
            """
            insert into quota (scope, owner_id, gpu_model, guaranteed, most, made_at)
            values (:scope, :owner, :model, :guaranteed, :most, :at)
            on conflict (scope, owner_id, gpu_model) do update
              set guaranteed = excluded.guaranteed, most = excluded.most, made_at = excluded.made_at
            """)
        .bind("scope", quota.scope().text())
        .bind("owner", quota.owner())
        .bind("model", quota.gpuModel())
        .bind("guaranteed", quota.guaranteed())
        .bind("most", quota.most().orElse(null))
        .bind("at", now)
        .execute();
  }

  static boolean remove(Tx tx, Quota.Scope scope, UUID owner, String gpuModel) {
    return tx.update(
                "delete from quota where scope = :scope and owner_id = :owner and gpu_model ="
                    + " :model")
            .bind("scope", scope.text())
            .bind("owner", owner)
            .bind("model", gpuModel)
            .execute()
        > 0;
  }

  static List<Quota> all(Tx tx) {
    return tx.query("select * from quota order by scope, owner_id, gpu_model limit " + QUOTAS_MOST)
        .map(QuotaStore::quota)
        .list();
  }

  static List<Quota> of(Tx tx, String gpuModel) {
    return tx.query(
            "select * from quota where lower(gpu_model) in ('', lower(:model)) order by scope,"
                + " owner_id, gpu_model limit "
                + QUOTAS_MOST)
        .bind("model", gpuModel)
        .map(QuotaStore::quota)
        .list();
  }

  private static Quota quota(RowView row) {
    return new Quota(
        Quota.Scope.valueOf(row.getColumn("scope", String.class).toUpperCase(Locale.ROOT)),
        row.getColumn("owner_id", UUID.class),
        row.getColumn("gpu_model", String.class),
        row.getColumn("guaranteed", Integer.class),
        Optional.ofNullable(row.getColumn("most", Integer.class)));
  }

  /** All GPUs that anybody holds, or that are held for him. */
  static List<Use> uses(Tx tx) {
    return tx.query(
            """
            select requested_by, project_id, gpu_model, sum(gpu_count)::int as gpus from lease
             where state in ('provisioning', 'booting', 'running', 'stopping')
                or (state = 'waiting' and exists (select from placement_grant where lease_id = lease.id))
             group by 1, 2, 3 limit 100000
            """)
        .map(QuotaStore::use)
        .list();
  }

  private static Use use(RowView row) {
    return new Use(
        row.getColumn("requested_by", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("gpu_model", String.class),
        row.getColumn("gpus", Integer.class));
  }

  /** Leases that could make room, the newest first. */
  static List<Candidate> candidates(Tx tx, String gpuModel) {
    return tx.query(
            """
            select lease.id, lease.requested_by, lease.project_id, lease.gpu_model, lease.gpu_count as gpus,
                   claim.provider, claim.node, array_agg(claim.gpu_id order by claim.gpu_id) as gpu_ids
              from lease join gpu_claim claim on claim.lease_id = lease.id
             where lease.gpu_model = :model and lease.state in ('provisioning', 'booting', 'running') and reclaim_at is null
             group by lease.id, claim.provider, claim.node
             order by lease.made_at desc, lease.id desc limit 10000
            """)
        .bind("model", gpuModel)
        .map(row ->
            new Candidate(
                new Reclaim.Holder(
                    row.getColumn("id", UUID.class),
                    row.getColumn("provider", String.class),
                    row.getColumn("node", String.class),
                    List.of(row.getColumn("gpu_ids", String[].class))),
                use(row)))
        .list();
  }
}
