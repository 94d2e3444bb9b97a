package gpuaas.capacity;

import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.spi.HasNodes;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import java.time.InstantSource;
import java.util.List;

/**
 * Keeps what providers offer and have up to date. A provider that cannot be asked leaves it as it
 * was.
 */
public final class NodeSync {

  private final Database database;
  private final Providers providers;
  private final InstantSource clock;

  public NodeSync(Database database, Providers providers, InstantSource clock) {
    this.database = database;
    this.providers = providers;
    this.clock = clock;
  }

  /** Asks one provider, and writes what it says. */
  public void sync(String provider) {
    List<Offer> offers = providers.get(provider).offers(OfferQuery.all());
    List<NodeStatus> nodes =
        providers.ability(provider, HasNodes.class).map(HasNodes::nodes).orElse(List.of());
    database.run(tx -> NodeStore.replace(tx, provider, offers, nodes, clock.instant()));
  }

  /** All nodes, as last seen. */
  public List<NodeStatus> nodes() {
    return database.read(NodeStore::nodes);
  }
}
