package gpuaas.queue;

import gpuaas.capacity.FreeIndex.Machine;
import gpuaas.capacity.Reclaim;
import gpuaas.catalog.Gang;
import gpuaas.catalog.Want;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.queue.Horizon.Release;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jdbi.v3.core.result.RowView;

/** Who waits, in turn; who holds what, and until when; and what is held for those who wait. */
public final class QueueStore {

  /** Whose GPUs will be free without anybody doing anything. */
  private static final String LEAVING =
      "(state = 'stopping' or (state in ('booting', 'running') and reclaim_at is not null))";

  private static final String RECLAIMABLE =
      "state in ('provisioning', 'booting', 'running') and reclaim_at is null and spec -> 'want'"
          + " ->> 'tier' = 'SPOT'";

  private static final String UNGRANTED =
      "not exists (select from placement_grant where lease_id = lease.id)";

  private static final String DISK_IS_READY =
      """
      (disk_id is null or exists (
        select from disk where disk.id = lease.disk_id and disk.state = 'ready'
           and not exists (select from disk_snapshot s where s.disk_id = disk.id and s.state = 'making')))
      """;

  private QueueStore() {}

  /**
   * Those who wait for GPUs of a model and could begin now, in their turn: firm leases before spot
   * ones, for what is taken back for them is theirs; then by priority, then who came first.
   *
   * @param after whom they come after; empty: all
   */
  static List<Waiter> line(Tx tx, String gpuModel, Optional<UUID> after, Instant now, int limit) {
    return tx.query(
            """
            select id, requested_by, project_id, made_at, expires_at, attempt, price_per_gpu_hour_micros,
                   (spec -> 'want')::text as want, (spec -> 'gang')::text as gang, spec ->> 'term' as term
              from lease
             where state = 'waiting' and gpu_model = :model and %s and %s
               and (:after::uuid is null or (spec -> 'want' ->> 'tier', queue_rank, made_at, id)
                    > (select spec -> 'want' ->> 'tier', queue_rank, made_at, id from lease where id = :after::uuid))
             order by spec -> 'want' ->> 'tier', queue_rank, made_at, id limit :limit
            """
                .formatted(UNGRANTED, DISK_IS_READY))
        .bind("model", gpuModel)
        .bind("after", after.orElse(null))
        .bind("limit", limit)
        .map(row -> waiter(row, now))
        .list();
  }

  private static Waiter waiter(RowView row, Instant now) {
    Optional<Duration> untilEnd =
        Optional.ofNullable(row.getColumn("expires_at", Instant.class))
            .map(end -> end.isAfter(now) ? Duration.between(now, end) : Duration.ZERO);
    return new Waiter(
        row.getColumn("id", UUID.class),
        row.getColumn("requested_by", UUID.class),
        row.getColumn("project_id", UUID.class),
        Json.read(row.getColumn("want", String.class), Want.class),
        row.getColumn("price_per_gpu_hour_micros", Long.class),
        row.getColumn("made_at", Instant.class),
        untilEnd.or(
            () -> Optional.ofNullable(row.getColumn("term", String.class)).map(Duration::parse)),
        row.getColumn("attempt", Integer.class),
        Optional.ofNullable(row.getColumn("gang", String.class))
            .filter(text -> !text.equals("null"))
            .map(text -> Json.read(text, Gang.class)));
  }

  /** The first of them, who looks for all. */
  static Optional<UUID> first(Tx tx, String gpuModel) {
    return tx.query(
            """
            select id from lease where state = 'waiting' and gpu_model = :model and %s and %s
             order by spec -> 'want' ->> 'tier', queue_rank, made_at, id limit 1
            """
                .formatted(UNGRANTED, DISK_IS_READY))
        .bind("model", gpuModel)
        .mapTo(UUID.class)
        .findFirst();
  }

  /** The first of each model for which anybody waits. */
  static List<UUID> firsts(Tx tx) {
    return tx
        .query(
            "select distinct gpu_model from lease where state = 'waiting' order by gpu_model limit"
                + " 1000")
        .mapTo(String.class)
        .list()
        .stream()
        .filter(model -> isAnyFree(tx, model))
        .flatMap(model -> first(tx, model).stream())
        .toList();
  }

  /** What those want whose turn is before. */
  public static List<Want> ahead(Tx tx, String gpuModel, UUID id) {
    return tx
        .query(
            """
            select (spec -> 'want')::text from lease
             where state = 'waiting' and gpu_model = :model and %s
               and (spec -> 'want' ->> 'tier', queue_rank, made_at, id)
                   < (select spec -> 'want' ->> 'tier', queue_rank, made_at, id from lease where id = :id)
             order by spec -> 'want' ->> 'tier', queue_rank, made_at, id limit 10000
            """
                .formatted(UNGRANTED))
        .bind("model", gpuModel)
        .bind("id", id)
        .mapTo(String.class)
        .stream()
        .map(want -> Json.read(want, Want.class))
        .toList();
  }

  /** True when a GPU of our own of this model is free, or a market has such. */
  static boolean isAnyFree(Tx tx, String gpuModel) {
    return tx.query(
            """
            select exists (
                select from gpu
                  join node on node.provider = gpu.provider and node.name = gpu.node and node.schedulable
                  left join gpu_claim claim on claim.provider = gpu.provider and claim.node = gpu.node and claim.gpu_id = gpu.id
                 where gpu.model = :model and gpu.healthy and claim.lease_id is null)
              or exists (
                select from offer where gpu_model = :model and not exists (select from node where node.provider = offer.provider))
            """)
        .bind("model", gpuModel)
        .mapTo(Boolean.class)
        .one();
  }

  /** True when there are spot leases that could be taken back. */
  static boolean isAnyReclaimable(Tx tx, String gpuModel) {
    return tx.query(
            "select exists (select from lease where gpu_model = :model and " + RECLAIMABLE + ")")
        .bind("model", gpuModel)
        .mapTo(Boolean.class)
        .one();
  }

  /** When those who hold GPUs of our own machines give them back, no sooner than this. */
  static List<Release> releases(Tx tx, String gpuModel, Instant now) {
    return tx
        .query(
            """
            select claim.provider, claim.node, count(*)::int as gpus, lease.state, lease.expires_at, lease.reclaim_at,
                   lease.spec ->> 'term' as term
              from lease join gpu_claim claim on claim.lease_id = lease.id
             where lease.gpu_model = :model and lease.state <> 'ended' and claim.node <> ''
             group by lease.id, claim.provider, claim.node
             limit 100000
            """)
        .bind("model", gpuModel)
        .map(row -> release(row, now))
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  private static Optional<Release> release(RowView row, Instant now) {
    Optional<Instant> expires = Optional.ofNullable(row.getColumn("expires_at", Instant.class));
    Optional<Instant> reclaim = Optional.ofNullable(row.getColumn("reclaim_at", Instant.class));
    Optional<Duration> term =
        Optional.ofNullable(row.getColumn("term", String.class)).map(Duration::parse);
    Optional<Instant> at =
        row.getColumn("state", String.class).equals("stopping")
            ? Optional.of(now)
            : reclaim.or(() -> expires).or(() -> term.map(now::plus));
    return at.map(end ->
        new Release(
            new Machine(
                row.getColumn("provider", String.class), row.getColumn("node", String.class)),
            row.getColumn("gpus", Integer.class),
            end));
  }

  /** Who is on the way out, the newest first. */
  public static List<Reclaim.Holder> leaving(Tx tx, String gpuModel) {
    return holders(tx, gpuModel, LEAVING);
  }

  /** Who could be taken back, the newest first. */
  public static List<Reclaim.Holder> reclaimable(Tx tx, String gpuModel) {
    return holders(tx, gpuModel, RECLAIMABLE);
  }

  private static List<Reclaim.Holder> holders(Tx tx, String gpuModel, String which) {
    return tx.query(
            """
            select lease.id, claim.provider, claim.node, array_agg(claim.gpu_id order by claim.gpu_id) as gpu_ids
              from lease join gpu_claim claim on claim.lease_id = lease.id
             where lease.gpu_model = :model and %s
             group by lease.id, lease.made_at, claim.provider, claim.node
             order by lease.made_at desc, lease.id desc limit 10000
            """
                .formatted(which))
        .bind("model", gpuModel)
        .map(row ->
            new Reclaim.Holder(
                row.getColumn("id", UUID.class),
                row.getColumn("provider", String.class),
                row.getColumn("node", String.class),
                List.of(row.getColumn("gpu_ids", String[].class))))
        .list();
  }

  /** Holds the rows of those of them that wait still. */
  static Set<UUID> lockWaiting(Tx tx, List<UUID> leases) {
    return new HashSet<>(
        tx.query(
                "select id from lease where id = any(:ids) and state = 'waiting' order by id for"
                    + " update")
            .bindArray("ids", UUID.class, leases)
            .mapTo(UUID.class)
            .list());
  }

  /** Writes what is held for whom. */
  static void grant(Tx tx, List<Line.Start> starts, Instant now) {
    if (starts.isEmpty()) {
      return;
    }
    var batch =
        tx.batch(
            "insert into placement_grant (lease_id, place, at) values (:id, :place::jsonb, :at)");
    for (Line.Start start : starts) {
      batch
          .bind("id", start.waiter().id())
          .bind("place", Json.write(Grant.of(start)))
          .bind("at", now)
          .add();
    }
    batch.execute();
  }

  /** What is held for a lease; from now on it is not. */
  public static Optional<Grant> takeGrant(Tx tx, UUID lease) {
    return tx.query("delete from placement_grant where lease_id = :id returning place::text")
        .bind("id", lease)
        .mapTo(String.class)
        .findOne()
        .map(place -> Json.read(place, Grant.class));
  }

  /**
   * The same for those of them that nobody else writes and that are of this version still; their
   * rows are held.
   */
  public static Map<UUID, Grant> takeGrants(Tx tx, Map<UUID, Long> versions) {
    List<UUID> ids = List.copyOf(versions.keySet());
    return tx
        .query(
            """
            with free as materialized (
              select lease.id from unnest(:ids, :versions) as taking (id, version)
                join lease on lease.id = taking.id and lease.version = taking.version
               order by lease.id for update of lease skip locked)
            delete from placement_grant where lease_id in (select id from free) returning lease_id, place::text
            """)
        .bindArray("ids", UUID.class, ids)
        .bindArray("versions", Long.class, ids.stream().map(versions::get).toArray())
        .map(row ->
            Map.entry(
                row.getColumn("lease_id", UUID.class),
                Json.read(row.getColumn("place", String.class), Grant.class)))
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** Nothing is held for these any more. */
  public static void dropGrants(Tx tx, Collection<UUID> leases) {
    tx.update("delete from placement_grant where lease_id = any(:ids)")
        .bindArray("ids", UUID.class, leases)
        .execute();
  }

  /** True when something is held for a lease. */
  public static boolean isGranted(Tx tx, UUID lease) {
    return tx.query("select exists (select from placement_grant where lease_id = :id)")
        .bind("id", lease)
        .mapTo(Boolean.class)
        .one();
  }

  /** For whom something has been held for longer than it should take to ask for it. */
  static List<UUID> forgotten(Tx tx, Instant before) {
    return tx.query(
            "select lease_id from placement_grant where at < :before order by at limit 1000")
        .bind("before", before)
        .mapTo(UUID.class)
        .list();
  }
}
