package gpuaas.capacity;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.spi.HasNodes.NodeGpu;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.Offer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Nodes, their GPUs, the offers they stand under, and who holds which GPU. */
public final class NodeStore {

  private static final long PLACING_LOCK = 0x6770_7561_6173_0001L;

  private NodeStore() {}

  /**
   * Replaces what a provider offers and has. Nodes it no longer names stay, and get nothing new.
   */
  static void replace(
      Tx tx, String provider, List<Offer> offers, List<NodeStatus> nodes, Instant now) {
    tx.update("delete from offer where provider = :provider").bind("provider", provider).execute();
    for (Offer offer : offers) {
      tx.update("insert into offer values (:provider, :id, :body::jsonb, :at)")
          .bind("provider", provider)
          .bind("id", offer.id())
          .bind("body", Json.write(offer))
          .bind("at", now)
          .execute();
    }
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

  /** Everything there is of a GPU model, and what of it is free. */
  public static List<Room> rooms(Tx tx, String gpuModel) {
    return rooms(tx, Optional.of(gpuModel));
  }

  /** The same of all models. */
  public static List<Room> rooms(Tx tx) {
    return rooms(tx, Optional.empty());
  }

  private static List<Room> rooms(Tx tx, Optional<String> gpuModel) {
    record Row(String body, String node, List<String> free) {}
    return tx
        .query(
            """
            select offer.body::text as body, node.name as node,
                   array_remove(array_agg(case when claim.lease_id is null and gpu.healthy then gpu.id end order by gpu.position), null) as free
              from gpu
              join node on node.provider = gpu.provider and node.name = gpu.node and node.schedulable
              join offer on offer.provider = gpu.provider and offer.body -> 'gpu' ->> 'model' = gpu.model
              left join gpu_claim claim on claim.provider = gpu.provider and claim.node = gpu.node and claim.gpu_id = gpu.id
             where :model::text is null or gpu.model = :model
             group by offer.provider, offer.id, offer.body, node.name
            union all
            select offer.body::text, '',
                   array(select offer.id || '/' || number
                           from generate_series(1, (offer.body ->> 'gpuCountMost')::int) as number
                          where not exists (select from gpu_claim claim where claim.provider = offer.provider
                                             and claim.node = '' and claim.gpu_id = offer.id || '/' || number)
                          order by number)
              from offer
             where not exists (select from node where node.provider = offer.provider)
               and (:model::text is null or offer.body -> 'gpu' ->> 'model' = :model)
             order by 1, 2
             limit 10000
            """)
        .bind("model", gpuModel.orElse(null))
        .map(row ->
            new Row(
                row.getColumn("body", String.class),
                row.getColumn("node", String.class),
                List.of(row.getColumn("free", String[].class))))
        .stream()
        .map(row -> new Room(Json.read(row.body(), Offer.class), row.node(), row.free()))
        .toList();
  }

  /** Takes GPUs for a lease; {@link gpuaas.db.Duplicate} when one is held. */
  public static void claim(Tx tx, UUID lease, String provider, String node, List<String> gpuIds) {
    if (gpuIds.isEmpty()) {
      return;
    }
    var batch =
        tx.batch(
            "insert into gpu_claim (provider, node, gpu_id, lease_id) values (:provider, :node,"
                + " :gpu, :lease)");
    for (String gpu : gpuIds) {
      batch
          .bind("provider", provider)
          .bind("node", node)
          .bind("gpu", gpu)
          .bind("lease", lease)
          .add();
    }
    batch.execute();
  }

  /** Gives back what a lease held; how many GPUs that were. */
  public static int release(Tx tx, UUID lease) {
    return tx.update("delete from gpu_claim where lease_id = :lease")
        .bind("lease", lease)
        .execute();
  }

  /** All nodes, with what they last said of themselves. */
  static List<NodeStatus> nodes(Tx tx) {
    List<NodeStatus> nodes = new ArrayList<>();
    tx.query("select body::text as body from node order by provider, name limit 1000")
        .mapTo(String.class)
        .forEach(body -> nodes.add(Json.read(body, NodeStatus.class)));
    return nodes;
  }
}
