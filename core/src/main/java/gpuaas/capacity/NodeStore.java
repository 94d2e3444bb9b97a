package gpuaas.capacity;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.spi.HasNodes.NodeGpu;
import gpuaas.spi.HasNodes.NodeStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Nodes, their GPUs, and who holds which GPU. */
public final class NodeStore {

  private static final long PLACING_LOCK = 0x6770_7561_6173_0001L;

  private NodeStore() {}

  /** Writes what a provider has. Nodes it no longer names stay, and get nothing new. */
  static void replace(Tx tx, String provider, List<NodeStatus> nodes, Instant now) {
    tx.update(
            "update node set schedulable = false, message = 'not seen any more' where provider ="
                + " :provider and not (name = any(:names))")
        .bind("provider", provider)
        .bindArray("names", String.class, nodes.stream().map(NodeStatus::name).toList())
        .execute();
    nodes.forEach(node -> put(tx, provider, node, now));
  }

  private static void put(Tx tx, String provider, NodeStatus node, Instant now) {
    tx.update(
            """
            insert into node (provider, name, region, body, schedulable, message, seen_at)
            values (:provider, :name, :region, :body::jsonb, :schedulable, :message, :at)
            on conflict (provider, name) do update set region = excluded.region, body = excluded.body,
              schedulable = excluded.schedulable, message = excluded.message, seen_at = excluded.seen_at
            """)
        .bind("provider", provider)
        .bind("name", node.name())
        .bind("region", node.region().code())
        .bind("body", Json.write(node))
        .bind("schedulable", node.schedulable())
        .bind("message", node.message())
        .bind("at", now)
        .execute();
    tx.update(
            "delete from gpu where provider = :provider and node = :node and not (id = any(:ids))")
        .bind("provider", provider)
        .bind("node", node.name())
        .bindArray("ids", String.class, node.gpus().stream().map(NodeGpu::id).toList())
        .execute();
    if (node.gpus().isEmpty()) {
      return;
    }
    var batch =
        tx.batch(
            """
            insert into gpu (provider, node, id, position, model, healthy)
            values (:provider, :node, :id, :position, :model, :healthy)
            on conflict (provider, node, id) do update set position = excluded.position, model = excluded.model,
              healthy = excluded.healthy
            """);
    for (NodeGpu gpu : node.gpus()) {
      batch
          .bind("provider", provider)
          .bind("node", node.name())
          .bind("id", gpu.id())
          .bind("position", gpu.index())
          .bind("model", gpu.gpu().model())
          .bind("healthy", gpu.healthy())
          .add();
    }
    batch.execute();
  }

  /**
   * From here to the end of the transaction nobody else places: rooms that are read stay as they
   * are.
   */
  public static void lockPlacing(Tx tx) {
    tx.query("select 1 from pg_advisory_xact_lock(:lock)")
        .bind("lock", PLACING_LOCK)
        .mapTo(Integer.class)
        .list();
  }

  /** GPUs that a lease takes. */
  public record Claim(UUID lease, String provider, String node, List<String> gpuIds) {}

  /** Takes GPUs for leases; {@link gpuaas.db.Duplicate} when one is held. */
  public static void claim(Tx tx, List<Claim> claims) {
    if (claims.isEmpty()) {
      return;
    }
    var batch =
        tx.batch(
            "insert into gpu_claim (provider, node, gpu_id, lease_id) values (:provider, :node,"
                + " :gpu, :lease)");
    for (Claim claim : claims) {
      for (String gpu : claim.gpuIds()) {
        batch
            .bind("provider", claim.provider())
            .bind("node", claim.node())
            .bind("gpu", gpu)
            .bind("lease", claim.lease())
            .add();
      }
    }
    batch.execute();
  }

  /** Gives back what leases held; those that held anything. */
  public static Set<UUID> release(Tx tx, Collection<UUID> leases) {
    return tx.query("delete from gpu_claim where lease_id = any(:ids) returning lease_id")
        .bindArray("ids", UUID.class, leases)
        .mapTo(UUID.class)
        .set();
  }

  /** Ids of GPUs that a lease holds, of nodes and of offers. */
  public static List<String> claimed(Tx tx, UUID lease) {
    return tx.query("select gpu_id from gpu_claim where lease_id = :id order by gpu_id limit 1024")
        .bind("id", lease)
        .mapTo(String.class)
        .list();
  }

  /** Ids of GPUs of our own nodes that a lease holds and that are gone or do not work. */
  public static List<String> lost(Tx tx, UUID lease) {
    return tx.query(
            """
            select claim.gpu_id from gpu_claim claim
              left join gpu on gpu.provider = claim.provider and gpu.node = claim.node and gpu.id = claim.gpu_id
             where claim.lease_id = :lease and claim.node <> '' and (gpu.id is null or not gpu.healthy)
             order by claim.gpu_id limit 1024
            """)
        .bind("lease", lease)
        .mapTo(String.class)
        .list();
  }

  /** All nodes, with what they last said of themselves. */
  static List<NodeStatus> nodes(Tx tx) {
    List<NodeStatus> nodes = new ArrayList<>();
    tx.query("select body::text as body from node order by provider, name limit 1000")
        .mapTo(String.class)
        .forEach(body -> nodes.add(Json.read(body, NodeStatus.class)));
    return nodes;
  }

  /** GPUs of our own machines by model: there, held, and waited for. */
  static List<Cluster.ModelUse> cluster(Tx tx) {
    return tx.query(
            """
            with node_gpu as (
              select gpu.model, gpu.provider, gpu.node, count(*)::int as gpus,
                     count(claim.lease_id)::int as held
                from gpu
                join node on node.provider = gpu.provider and node.name = gpu.node
                left join gpu_claim claim
                  on claim.provider = gpu.provider and claim.node = gpu.node and claim.gpu_id = gpu.id
               where (node.schedulable and gpu.healthy) or claim.lease_id is not null
               group by gpu.model, gpu.provider, gpu.node)
            select model, sum(gpus)::int as total, max(gpus) as most, sum(held)::int as held,
                   (select coalesce(sum(gpu_count), 0)::int from lease
                     where state = 'waiting' and gpu_model = node_gpu.model) as wanted
              from node_gpu group by model order by model limit 1000
            """)
        .map(row ->
            new Cluster.ModelUse(
                row.getColumn("model", String.class),
                row.getColumn("total", Integer.class),
                row.getColumn("most", Integer.class),
                row.getColumn("held", Integer.class),
                row.getColumn("wanted", Integer.class)))
        .list();
  }
}
