package gpuaas.ledger;

import gpuaas.db.Tx;
import gpuaas.ledger.Budget.Scope;
import gpuaas.ledger.Budget.Spent;
import gpuaas.ledger.BudgetAlerts.Level;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Budgets in the database, and what counts against them. */
final class BudgetStore {

  private BudgetStore() {}

  static void put(Tx tx, Budget budget, Instant now) {
    // Of another limit nothing was told yet.
    tx.update(
            """
            delete from budget_alert using budget
             where budget.id = budget_id and coalesce(project_id, api_key_id) = :owner and period = :period
               and (most_micros, most_gpu_seconds) is distinct from (:micros::bigint, :gpuSeconds::bigint)
            """)
        .bind("owner", budget.owner())
        .bind("period", budget.period().name())
        .bind("micros", budget.mostMicros().orElse(null))
        .bind("gpuSeconds", budget.mostGpuSeconds().orElse(null))
        .execute();
    tx.update(
            """
            insert into budget (id, tenant_id, project_id, api_key_id, period, most_micros, most_gpu_seconds, made_at)
            values (:id, :tenant, :project::uuid, :apiKey::uuid, :period, :micros::bigint, :gpuSeconds::bigint, :now)
            on conflict (coalesce(project_id, api_key_id), period)
              do update set most_micros = excluded.most_micros, most_gpu_seconds = excluded.most_gpu_seconds
            """)
        .bind("id", budget.id())
        .bind("tenant", budget.tenant())
        .bind("project", budget.scope() == Scope.PROJECT ? budget.owner() : null)
        .bind("apiKey", budget.scope() == Scope.API_KEY ? budget.owner() : null)
        .bind("period", budget.period().name())
        .bind("micros", budget.mostMicros().orElse(null))
        .bind("gpuSeconds", budget.mostGpuSeconds().orElse(null))
        .bind("now", now)
        .execute();
  }

  /** Whose a project or an API key is. */
  record Owner(UUID tenant, UUID project) {}

  static Optional<Owner> owner(Tx tx, Scope scope, UUID id) {
    String table =
        switch (scope) {
          case PROJECT -> "select tenant_id, id as project_id from project where id = :id";
          case API_KEY -> "select tenant_id, project_id from api_key where id = :id";
        };
    return tx.query(table)
        .bind("id", id)
        .map(row ->
            new Owner(
                row.getColumn("tenant_id", UUID.class), row.getColumn("project_id", UUID.class)))
        .findOne();
  }

  static boolean delete(Tx tx, UUID tenant, UUID id) {
    return tx.update("delete from budget where id = :id and tenant_id = :tenant")
            .bind("id", id)
            .bind("tenant", tenant)
            .execute()
        == 1;
  }

  /** Budgets of a tenant by id. */
  static List<Budget> list(Tx tx, UUID tenant, Optional<UUID> after, int limit) {
    return tx.query(
            "select * from budget where tenant_id = :tenant and (:after::uuid is null or id >"
                + " :after::uuid) order by id limit :limit")
        .bind("tenant", tenant)
        .bind("after", after.orElse(null))
        .bind("limit", limit)
        .map(BudgetStore::read)
        .list();
  }

  static Optional<Budget> find(Tx tx, UUID tenant, UUID owner, Budget.Period period) {
    return tx.query(
            """
            select * from budget
             where tenant_id = :tenant and coalesce(project_id, api_key_id) = :owner and period = :period
            """)
        .bind("tenant", tenant)
        .bind("owner", owner)
        .bind("period", period.name())
        .map(BudgetStore::read)
        .findOne();
  }

  /** All there are that have running leases. */
  static List<Budget> watched(Tx tx) {
    return tx.query(
            """
            select * from budget
             where exists (select 1 from hold where closed_at is null and started_at is not null
                            and (hold.project_id = budget.project_id or hold.api_key_id = budget.api_key_id))
             order by id limit 10000
            """)
        .map(BudgetStore::read)
        .list();
  }

  /** All there are that leases used since then, or use. */
  static List<Budget> recent(Tx tx, Instant since) {
    return tx.query(
            """
            select * from budget
             where exists (select 1 from hold where started_at is not null and (closed_at is null or closed_at > :since)
                            and (hold.project_id = budget.project_id or hold.api_key_id = budget.api_key_id))
             order by id limit 10000
            """)
        .bind("since", since)
        .map(BudgetStore::read)
        .list();
  }

  /** What was told of a budget in a period. */
  static Set<Level> told(Tx tx, Budget budget, Instant periodStart) {
    return Set.copyOf(
        tx.query(
                "select level from budget_alert where budget_id = :budget and period_start ="
                    + " :start")
            .bind("budget", budget.id())
            .bind("start", periodStart)
            .map(row -> Level.valueOf(row.getColumn("level", String.class)))
            .list());
  }

  /** False: it was told before, or there is no such budget any more. */
  static boolean tell(Tx tx, BudgetAlerts.Alert alert, Instant now) {
    return tx.update(
                """
                insert into budget_alert (budget_id, period_start, level, lease_id, at)
                select id, :start, :level, :lease, :now from budget where id = :budget
                on conflict do nothing
                """)
            .bind("budget", alert.budget().id())
            .bind("start", alert.periodStart())
            .bind("level", alert.level().name())
            .bind("lease", alert.lease())
            .bind("now", now)
            .execute()
        == 1;
  }

  /** The lease that used a budget last: one that runs, and costs something, if there is one. */
  static Optional<BudgetAlerts.Last> last(Tx tx, Budget budget) {
    return tx.query(
            """
            select lease_id, hold.gpu_count, hold.price_per_gpu_hour_micros * hold.gpu_count as hour_price,
                   coalesce(lease.end_reason = 'OUT_OF_FUNDS', false) as starved
              from hold join lease on lease.id = hold.lease_id
             where started_at is not null and hold.%s = :owner
             order by hold.price_per_gpu_hour_micros = 0, closed_at desc nulls first, hold.made_at desc limit 1
            """
                .formatted(budget.scope() == Scope.PROJECT ? "project_id" : "api_key_id"))
        .bind("owner", budget.owner())
        .map(row ->
            new BudgetAlerts.Last(
                row.getColumn("lease_id", UUID.class),
                row.getColumn("gpu_count", Integer.class),
                row.getColumn("hour_price", Long.class),
                row.getColumn("starved", Boolean.class)))
        .findOne();
  }

  /** Whether a new lease counts against any. */
  static boolean isThere(Tx tx, Hold.Owner owner) {
    return tx.query(
            "select exists (select 1 from budget where project_id = :project or api_key_id ="
                + " :apiKey::uuid)")
        .bind("project", owner.project())
        .bind("apiKey", owner.apiKey().orElse(null))
        .mapTo(Boolean.class)
        .one();
  }

  /**
   * The budgets that a new lease counts against, held until the end of the transaction, so that
   * nobody else decides by them.
   */
  static List<Budget> lock(Tx tx, Hold.Owner owner) {
    return tx.query(
            """
            select * from budget where project_id = :project or api_key_id = :apiKey::uuid
             order by id for no key update
            """)
        .bind("project", owner.project())
        .bind("apiKey", owner.apiKey().orElse(null))
        .map(BudgetStore::read)
        .list();
  }

  /** What counts against a budget, running leases up to now. */
  static Spent spent(Tx tx, Budget budget, Instant now) {
    return tx.query(
            """
            with used as (
              select gpu_count, held_micros, closed_at, price_per_gpu_hour_micros::numeric * gpu_count as hour_price,
                     floor(extract(epoch from greatest(:start, started_at) - started_at)) as seconds_from,
                     floor(extract(epoch from case when closed_at is null then greatest(used_to, :now) else used_to end - started_at))
                       as seconds_to
                from hold
               where (project_id = :project::uuid or api_key_id = :apiKey::uuid) and (closed_at is null or used_to > :start)
            )
            select coalesce(sum(div(seconds_to * hour_price, 3600) - div(seconds_from * hour_price, 3600)), 0)::bigint as micros,
                   coalesce(sum(gpu_count * (seconds_to - seconds_from)), 0)::bigint as gpu_seconds,
                   coalesce(sum(held_micros), 0)::bigint as held_micros,
                   coalesce(sum(gpu_count) filter (where closed_at is null), 0)::bigint as gpus_held
              from used
            """)
        .bind("project", budget.scope() == Scope.PROJECT ? budget.owner() : null)
        .bind("apiKey", budget.scope() == Scope.API_KEY ? budget.owner() : null)
        .bind("start", budget.period().start(now))
        .bind("now", now)
        .map(row ->
            new Spent(
                row.getColumn("micros", Long.class),
                row.getColumn("gpu_seconds", Long.class),
                row.getColumn("held_micros", Long.class),
                row.getColumn("gpus_held", Long.class)))
        .one();
  }

  /** Running leases that count against a budget, newest first. */
  static List<Spending.Running> running(Tx tx, Budget budget) {
    return running(
        tx, budget.scope() == Scope.PROJECT ? "project_id" : "api_key_id", budget.owner());
  }

  /** Running leases that a tenant pays for, newest first. */
  static List<Spending.Running> running(Tx tx, UUID tenant) {
    return running(tx, "tenant_id", tenant);
  }

  private static List<Spending.Running> running(Tx tx, String column, UUID owner) {
    return tx.query(
            """
            select lease_id, gpu_count, price_per_gpu_hour_micros * gpu_count as hour_price, warned from hold
             where closed_at is null and started_at is not null and %s = :owner
             order by made_at desc, lease_id desc limit 10000
            """
                .formatted(column))
        .bind("owner", owner)
        .map(row ->
            new Spending.Running(
                row.getColumn("lease_id", UUID.class),
                row.getColumn("gpu_count", Integer.class),
                row.getColumn("hour_price", Long.class),
                row.getColumn("warned", Integer.class)))
        .list();
  }

  /** Tenants that have running leases. */
  static List<UUID> tenants(Tx tx) {
    return tx.query(
            "select distinct tenant_id from hold where closed_at is null and started_at is not"
                + " null order by tenant_id limit 10000")
        .mapTo(UUID.class)
        .list();
  }

  /** What a tenant's running leases have used up to now, and is not paid yet; what they hold. */
  static Spent unpaid(Tx tx, UUID tenant, Instant now) {
    return tx.query(
            """
            select coalesce(sum(div(floor(extract(epoch from greatest(used_to, :now) - started_at))
                                    * price_per_gpu_hour_micros * gpu_count, 3600) - cost_micros), 0)::bigint as micros,
                   coalesce(sum(held_micros), 0)::bigint as held_micros
              from hold where closed_at is null and started_at is not null and tenant_id = :tenant
            """)
        .bind("tenant", tenant)
        .bind("now", now)
        .map(row ->
            new Spent(
                row.getColumn("micros", Long.class),
                0,
                row.getColumn("held_micros", Long.class),
                0))
        .one();
  }

  /** Remembers that the owner of a lease was told. */
  static void warned(Tx tx, UUID lease, int level) {
    tx.update("update hold set warned = :level where lease_id = :lease")
        .bind("level", level)
        .bind("lease", lease)
        .execute();
  }

  private static Budget read(RowView row) {
    UUID project = row.getColumn("project_id", UUID.class);
    return new Budget(
        row.getColumn("id", UUID.class),
        row.getColumn("tenant_id", UUID.class),
        project == null ? Scope.API_KEY : Scope.PROJECT,
        project == null ? row.getColumn("api_key_id", UUID.class) : project,
        Budget.Period.valueOf(row.getColumn("period", String.class)),
        Optional.ofNullable(row.getColumn("most_micros", Long.class)),
        Optional.ofNullable(row.getColumn("most_gpu_seconds", Long.class)));
  }
}
