package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.Query;

/**
 * What is free where. All of our own nodes; of markets, whose offers are thousands, only what a
 * decision can need.
 */
public final class RoomStore {

  /**
   * Of a market's offers that suit, so many of the cheapest; one more for each that comes before.
   */
  private static final int CHEAPEST = 200;

  private static final int ROOMS_MOST = 10_000;

  /** Our own nodes: each offer of theirs in each of them. */
  private static final String OWN =
      """
      select offer.body::text as body, node.name as node,
             array_remove(array_agg(case when claim.lease_id is null and gpu.healthy then gpu.id end order by gpu.position), null) as free
        from gpu
        join node on node.provider = gpu.provider and node.name = gpu.node and node.schedulable
        join offer on offer.provider = gpu.provider and offer.gpu_model = gpu.model
        left join gpu_claim claim on claim.provider = gpu.provider and claim.node = gpu.node and claim.gpu_id = gpu.id
       where (:model::text is null or gpu.model = :model)
         and (:any or (offer.provider, offer.id) in (select * from unnest(:providers::text[], :ids::text[])))
       group by offer.provider, offer.id, offer.body, node.name
       order by offer.provider, offer.id, node.name
       limit :most
      """;

  /** How many of a market's GPUs somebody holds, by offer; and so what of each offer is free. */
  private static final String MARKET =
      """
      with taken as (
        select provider, regexp_replace(gpu_id, '/[0-9]+$', '') as id, count(*) as gpus
          from gpu_claim where node = '' group by 1, 2),
      market as (
        select offer.*, greatest(0, gpu_count_most - coalesce(taken.gpus, 0))::int as free
          from offer left join taken on taken.provider = offer.provider and taken.id = offer.id
         where (:model::text is null or gpu_model = :model)
           and not exists (select from node where node.provider = offer.provider))
      """;

  private RoomStore() {}

  /** All that a want's place, or its price, could depend on. */
  public static List<Room> suiting(Tx tx, Want want) {
    return suiting(tx, List.of(), want);
  }

  /**
   * The same, when others come before; all wants are of one model.
   *
   * @param ahead may take what they want first
   */
  public static List<Room> suiting(Tx tx, List<Want> ahead, Want want) {
    List<Want> wants = new ArrayList<>(ahead);
    wants.add(want);
    Set<OfferKey> exact = new HashSet<>();
    Set<Shape> shapes = new HashSet<>();
    for (Want each : wants) {
      each.offer().ifPresentOrElse(exact::add, () -> shapes.add(Shape.of(each)));
    }
    List<Room> rooms = own(tx, Optional.of(want.gpuModel()), !shapes.isEmpty(), exact);
    rooms.addAll(market(tx, want.gpuModel(), shapes, exact, CHEAPEST + ahead.size()));
    return rooms;
  }

  /** What makes offers of a market suit a want that names none. */
  private record Shape(int gpuCount, Tier tier, String region) {
    static Shape of(Want want) {
      return new Shape(want.gpuCount(), want.tier(), want.region().map(Region::code).orElse(""));
    }
  }

  /** Our own nodes, with what is free in each. */
  static List<Room> own(Tx tx) {
    return own(tx, Optional.empty(), true, Set.of());
  }

  private static List<Room> own(
      Tx tx, Optional<String> gpuModel, boolean any, Collection<OfferKey> exact) {
    Query query =
        tx.query(OWN)
            .bind("model", gpuModel.orElse(null))
            .bind("any", any)
            .bind("most", ROOMS_MOST);
    return new ArrayList<>(rooms(bind(query, exact)));
  }

  private static Query bind(Query query, Collection<OfferKey> exact) {
    List<OfferKey> keys = List.copyOf(exact);
    return query
        .bindArray("providers", String.class, keys.stream().map(OfferKey::provider).toList())
        .bindArray("ids", String.class, keys.stream().map(OfferKey::id).toList());
  }

  /** Those named, those that are held, and the cheapest free ones of each shape. */
  private static List<Room> market(
      Tx tx, String gpuModel, Set<Shape> shapeSet, Set<OfferKey> exact, int cheapest) {
    List<Shape> shapes = List.copyOf(shapeSet);
    Query query =
        tx.query(
                """
                with shape as (select * from unnest(:counts, :tiers, :regions) as shape (gpu_count, tier, region)),
                named as (
                  select provider, id from unnest(:providers::text[], :ids::text[]) as named (provider, id)
                  union
                  (select provider, regexp_replace(gpu_id, '/[0-9]+$', '')
                     from gpu_claim where node = '' and cardinality(:counts) > 0 limit :most)
                  union
                  select found.provider, found.id
                    from shape cross join lateral (
                      select offer.provider, offer.id from offer
                       where gpu_model = :model and tier = shape.tier and (shape.region = '' or region = shape.region)
                         and (gpu_count = shape.gpu_count or (gpu_count < gpu_count_most and gpu_count_most >= shape.gpu_count))
                         and not exists (select from node where node.provider = offer.provider)
                         and exists (select from generate_series(1, offer.gpu_count_most) as number
                                      where not exists (select from gpu_claim claim where claim.provider = offer.provider
                                                         and claim.node = '' and claim.gpu_id = offer.id || '/' || number))
                       order by price_per_gpu_hour_micros limit :cheapest) found)
                select offer.body::text as body, '' as node,
                       array(select offer.id || '/' || number from generate_series(1, offer.gpu_count_most) as number
                              where not exists (select from gpu_claim claim where claim.provider = offer.provider
                                                 and claim.node = '' and claim.gpu_id = offer.id || '/' || number)
                              order by number) as free
                  from named join offer on offer.provider = named.provider and offer.id = named.id
                 where offer.gpu_model = :model and not exists (select from node where node.provider = offer.provider)
                 order by offer.price_per_gpu_hour_micros, offer.provider, offer.id
                 limit :most
                """)
            .bindArray("counts", Integer.class, shapes.stream().map(Shape::gpuCount).toList())
            .bindArray("tiers", String.class, shapes.stream().map(it -> it.tier().name()).toList())
            .bindArray("regions", String.class, shapes.stream().map(Shape::region).toList())
            .bind("model", gpuModel)
            .bind("cheapest", cheapest)
            .bind("most", ROOMS_MOST);
    return rooms(bind(query, exact));
  }

  private static List<Room> rooms(Query query) {
    return query.map(RoomStore::room).list();
  }

  private static Room room(RowView row) {
    return new Room(
        Json.read(row.getColumn("body", String.class), Offer.class),
        row.getColumn("node", String.class),
        List.of(row.getColumn("free", String[].class)));
  }

  /**
   * All there is, for a list of prices: our own nodes; and of markets, for all offers of one model,
   * region, tier and count together, one room under the cheapest of them that is free, with the
   * free GPUs of all.
   */
  static List<Room> kinds(Tx tx) {
    List<Room> rooms = own(tx);
    rooms.addAll(
        tx.query(
                MARKET
                    + """
                    , ranked as (
                      select provider, id, sum(free) over kind as free,
                             row_number() over (partition by gpu_model, region, tier, gpu_count, gpu_count_most
                                                order by free = 0, price_per_gpu_hour_micros, provider, id) as rank
                        from market window kind as (partition by gpu_model, region, tier, gpu_count, gpu_count_most))
                    select offer.body::text as body, ranked.free::int as free
                      from ranked join offer on offer.provider = ranked.provider and offer.id = ranked.id
                     where rank = 1 order by offer.provider, offer.id limit :most
                    """)
            .bind("model", (String) null)
            .bind("most", ROOMS_MOST)
            .map(row ->
                new Room(
                    Json.read(row.getColumn("body", String.class), Offer.class),
                    "",
                    IntStream.rangeClosed(1, row.getColumn("free", Integer.class))
                        .mapToObj(Integer::toString)
                        .toList()))
            .list());
    return rooms;
  }

  /** How much of a GPU model there is. */
  public static Availability availability(Tx tx, String gpuModel) {
    Availability own = Availability.of(own(tx, Optional.of(gpuModel), true, Set.of()));
    List<Availability> market =
        tx.query(
                MARKET
                    + """
                    select coalesce(sum(gpu_count_most), 0)::int as total, coalesce(sum(free), 0)::int as free,
                           coalesce(max(free), 0) as largest_free, coalesce(max(gpu_count_most), 0) as largest_ever,
                           array(select distinct region from market order by region) as regions,
                           (select body::text from market limit 1) as body
                      from market
                    """)
            .bind("model", gpuModel)
            .map(RoomStore::availability)
            .list();
    return own.and(market.getFirst());
  }

  private static Availability availability(RowView row) {
    return new Availability(
        row.getColumn("total", Integer.class),
        row.getColumn("free", Integer.class),
        row.getColumn("largest_free", Integer.class),
        row.getColumn("largest_ever", Integer.class),
        List.of(row.getColumn("regions", String[].class)).stream().map(Region::new).toList(),
        Optional.ofNullable(row.getColumn("body", String.class))
            .map(body -> Json.read(body, Offer.class).assurance()));
  }
}
