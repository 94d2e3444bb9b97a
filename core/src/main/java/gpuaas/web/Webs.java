package gpuaas.web;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.lease.Lease;
import gpuaas.web.Web.Port;
import gpuaas.work.WorkStore;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * What callers can do with what of their leases is reached in a browser. Writes what is wanted;
 * {@link WebReconciler} brings it about.
 */
public final class Webs {

  static final String KIND = "web";

  private final Database database;
  private final WebStore store;
  private final InstantSource clock;
  private final WebRules rules;
  private final BiConsumer<UUID, Integer> closed;
  private final BiConsumer<String, UUID> wake;

  /**
   * @param closed told of a port of a lease that may not be reached any more
   * @param wake told of work that is due now
   */
  public Webs(
      Database database,
      SecretBox secrets,
      InstantSource clock,
      WebRules rules,
      BiConsumer<UUID, Integer> closed,
      BiConsumer<String, UUID> wake) {
    this.database = database;
    this.store = new WebStore(secrets);
    this.clock = clock;
    this.rules = rules;
    this.closed = closed;
    this.wake = wake;
  }

  /** Wants Jupyter to run there as soon as the lease does. Asking again is fine. */
  public void enableJupyter(Tx tx, Caller caller, Lease lease) {
    caller.require(Action.LEASE_UPDATE);
    ensure(tx, lease);
    WebStore.want(tx, lease.id(), true);
    dueNow(tx, lease.id());
  }

  /** Wants it not to run any more; who is there is sent away at once. */
  public void disableJupyter(Tx tx, Caller caller, Lease lease) {
    caller.require(Action.LEASE_UPDATE);
    if (store.find(tx, lease.id()).isEmpty()) {
      return;
    }
    WebStore.want(tx, lease.id(), false);
    dueNow(tx, lease.id());
    tx.afterCommit(() -> closed.accept(lease.id(), Web.JUPYTER_PORT));
  }

  /** Declares a port, or how it is reached; false: there are too many. */
  public boolean declare(Tx tx, Caller caller, Lease lease, Port port) {
    caller.require(Action.LEASE_UPDATE);
    ensure(tx, lease);
    Web web = store.find(tx, lease.id()).orElseThrow();
    boolean known = web.ports().stream().anyMatch(one -> one.number() == port.number());
    if (!known && web.ports().size() >= rules.portsMost()) {
      return false;
    }
    WebStore.putPort(tx, lease.id(), port);
    return true;
  }

  /** It may not be reached any more; what is open there closes. False: it was not declared. */
  public boolean withdraw(Tx tx, Caller caller, Lease lease, int port) {
    caller.require(Action.LEASE_UPDATE);
    boolean was = WebStore.removePort(tx, lease.id(), port);
    tx.afterCommit(() -> closed.accept(lease.id(), port));
    return was;
  }

  /** What there is of these leases; nothing of those that have none. */
  public List<Web> of(List<UUID> leases) {
    return leases.isEmpty() ? List.of() : database.read(tx -> store.of(tx, leases));
  }

  /** The same of one lease. */
  public Optional<Web> find(UUID lease) {
    return database.read(tx -> store.find(tx, lease));
  }

  /** By the name in addresses. */
  public Optional<Web> findByHostName(String hostName) {
    return database.read(tx -> store.findByHostName(tx, hostName));
  }

  /** How many ports of one lease can be declared. */
  public int portsMost() {
    return rules.portsMost();
  }

  private void ensure(Tx tx, Lease lease) {
    store.ensure(tx, lease.id(), lease.hostName(), Secrets::token, clock.instant());
    WorkStore.due(tx, KIND, lease.id(), clock.instant());
  }

  private void dueNow(Tx tx, UUID lease) {
    WorkStore.due(tx, KIND, lease, clock.instant());
    tx.afterCommit(() -> wake.accept(KIND, lease));
  }
}
