package gpuaas.capacity;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.Offer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What providers offer, as last seen; only what changed is written. */
final class OfferStore {

  private OfferStore() {}

  /**
   * What the database holds of a provider, as long as it has this version.
   *
   * @param offers by id
   */
  record Written(long version, Map<String, Offer> offers, List<NodeStatus> nodes) {}

  /**
   * Brings the database up to what a provider offers and has. When nothing changed, that is one
   * row.
   *
   * @param before what this server wrote last
   */
  static Written write(
      Tx tx,
      String provider,
      List<Offer> offers,
      List<NodeStatus> nodes,
      Instant now,
      Optional<Written> before) {
    long version = look(tx, provider, now);
    Optional<Written> known = before.filter(written -> written.version() == version);
    Map<String, Offer> there = known.map(Written::offers).orElseGet(() -> read(tx, provider));
    Map<String, Offer> wanted = new LinkedHashMap<>();
    offers.forEach(offer -> wanted.putIfAbsent(offer.id(), offer));
    List<Offer> changed =
        wanted.values().stream().filter(offer -> !isThere(offer, there.get(offer.id()))).toList();
    List<String> gone = there.keySet().stream().filter(id -> !wanted.containsKey(id)).toList();
    boolean sameNodes = known.map(written -> written.nodes().equals(nodes)).orElse(false);
    if (changed.isEmpty() && gone.isEmpty() && sameNodes) {
      return new Written(version, wanted, nodes);
    }
    delete(tx, provider, gone);
    put(tx, provider, changed, now);
    if (!sameNodes) {
      NodeStore.replace(tx, provider, nodes, now);
    }
    tx.update("update provider_look set version = version + 1 where provider = :provider")
        .bind("provider", provider)
        .execute();
    return new Written(version + 1, wanted, nodes);
  }

  /** Who looks at a provider writes alone. */
  private static long look(Tx tx, String provider, Instant now) {
    return tx.query(
            """
            insert into provider_look values (:provider, :at, 0)
            on conflict (provider) do update set seen_at = excluded.seen_at
            returning version
            """)
        .bind("provider", provider)
        .bind("at", now)
        .mapTo(Long.class)
        .one();
  }

  private static boolean isThere(Offer offer, @org.jspecify.annotations.Nullable Offer there) {
    return there != null && there.withSeenAt(offer.seenAt()).equals(offer);
  }

  private static Map<String, Offer> read(Tx tx, String provider) {
    Map<String, Offer> there = new LinkedHashMap<>();
    tx.query("select body::text from offer where provider = :provider limit 100000")
        .bind("provider", provider)
        .mapTo(String.class)
        .forEach(body -> {
          Offer offer = Json.read(body, Offer.class);
          there.put(offer.id(), offer);
        });
    return there;
  }

  private static void delete(Tx tx, String provider, List<String> gone) {
    if (gone.isEmpty()) {
      return;
    }
    tx.update("delete from offer where provider = :provider and id = any(:ids)")
        .bind("provider", provider)
        .bindArray("ids", String.class, gone)
        .execute();
  }

  private static void put(Tx tx, String provider, List<Offer> offers, Instant now) {
    if (offers.isEmpty()) {
      return;
    }
    tx.update(
            """
            insert into offer (provider, id, body, seen_at)
            select :provider, id, body::jsonb, :at from unnest(:ids, :bodies) as row (id, body)
            on conflict (provider, id) do update set body = excluded.body, seen_at = excluded.seen_at
            """)
        .bind("provider", provider)
        .bind("at", now)
        .bindArray("ids", String.class, offers.stream().map(Offer::id).toList())
        .bindArray("bodies", String.class, offers.stream().map(Json::write).toList())
        .execute();
  }
}
