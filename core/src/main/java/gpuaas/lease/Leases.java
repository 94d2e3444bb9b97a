package gpuaas.lease;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.capacity.Delay;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.lease.LeaseListStore.Count;
import gpuaas.lease.LeaseListStore.Filter;
import gpuaas.lease.LeaseListStore.Part;
import gpuaas.lease.LeaseListStore.Standing;
import gpuaas.spi.InstanceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;

/** What callers can do with leases. Authorises, decides, writes; never calls a provider. */
public final class Leases {

  private static final int EVENTS_MOST = 1000;
  private static final int LIVING_MOST = 10_000;
  private static final Duration LOOK_EVERY = Duration.ofMillis(25);

  private final Database database;
  private final LeaseStore store;
  private final Accepting accepting;
  private final Ids ids;
  private final InstantSource clock;
  private final LeaseRules rules;
  private final Predicate<InstanceRef> restartable;

  Leases(
      Database database,
      LeaseStore store,
      Accepting accepting,
      Ids ids,
      InstantSource clock,
      LeaseRules rules,
      Predicate<InstanceRef> restartable) {
    this.database = database;
    this.store = store;
    this.accepting = accepting;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.restartable = restartable;
  }

  /**
   * Accepts a lease: written, with its event and its work, in the caller's transaction.
   *
   * @param name a label; need not be unique
   */
  public Lease request(Tx tx, Caller caller, LeaseSpec spec, Optional<String> name) {
    return request(tx, caller, ids.next(), spec, name);
  }

  /**
   * The same under an id of the caller's choice.
   *
   * @throws gpuaas.db.Duplicate at the end of the transaction when there is one of this id
   */
  public Lease request(Tx tx, Caller caller, UUID id, LeaseSpec spec, Optional<String> name) {
    caller.require(Action.LEASE_CREATE);
    long price = accepting.check(tx, caller, spec);
    Change requested = Lease.requested(id, caller, spec, name, price, clock.instant());
    store.add(tx, requested);
    AuditStore.append(tx, caller, Act.ALLOCATION_CREATE, requested.after().id(), clock.instant());
    return requested.after();
  }

  /** A lease that the caller may see. */
  public Lease get(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> visible(LeaseStore.find(tx, id), caller, id));
  }

  /** The same, in a transaction. */
  public Lease get(Tx tx, Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return visible(LeaseStore.find(tx, id), caller, id);
  }

  /**
   * Leases of the caller's project, newest first.
   *
   * @param after where the last page ended, as its {@code next} says
   */
  public Page<Lease> list(Caller caller, Filter filter, Optional<UUID> after, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> {
      Optional<Lease> before = after.map(id -> visible(LeaseStore.find(tx, id), caller, id));
      return page(
          LeaseListStore.list(tx, Optional.of(caller.project()), filter, before, limit + 1), limit);
    });
  }

  /** The same of everybody's, for whoever runs the platform. */
  public Page<Lease> listAll(
      Caller caller, Optional<UUID> project, Filter filter, Optional<UUID> after, int limit) {
    caller.require(Action.PLATFORM_OPERATE);
    return database.read(tx -> {
      Optional<Lease> before = after.map(id -> known(LeaseStore.find(tx, id), id));
      return page(LeaseListStore.list(tx, project, filter, before, limit + 1), limit);
    });
  }

  private static Page<Lease> page(List<Lease> found, int limit) {
    return Page.of(found, limit, Lease::id);
  }

  /**
   * Leases of the caller's project, newest first.
   *
   * @param phases only these; empty: all but those that are gone
   * @param after where the last page ended
   * @param limit one more is returned when there are more
   */
  public List<Lease> list(
      Caller caller,
      Set<LeaseState.Phase> phases,
      Optional<LeaseListStore.Position> after,
      int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(
        tx -> LeaseListStore.listByPhase(tx, caller.project(), phases, after, limit + 1));
  }

  /** Leases of the caller's project, newest first, that their makers have written this on. */
  public List<Lease> list(Caller caller, Filter filter, int limit) {
    caller.require(Action.LEASE_READ);
    return list(caller, filter, Optional.empty(), limit).items();
  }

  /** A part of them all, newest first, and how many there are. */
  public Part list(Caller caller, Standing standing, int offset, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> LeaseListStore.part(tx, caller.project(), standing, offset, limit));
  }

  /** The caller's whose ids begin so, or that their maker calls so; the newest few. */
  public List<Lease> findByPrefix(Caller caller, String prefix) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> LeaseListStore.byPrefix(tx, caller.project(), prefix));
  }

  /** How many there are, of everybody's, by provider and state; for those who run the platform. */
  public List<Count> counts() {
    return database.read(LeaseListStore::counts);
  }

  /** Gives it another name, or none. */
  public Lease rename(Tx tx, Caller caller, UUID id, Optional<String> name) {
    caller.require(Action.LEASE_UPDATE);
    return write(tx, caller, id, lease -> lease.renamed(name), Act.ALLOCATION_UPDATE);
  }

  /** Clears a failed lease away. Nothing happens to one that did not fail. */
  public Lease dismiss(Tx tx, Caller caller, UUID id) {
    caller.require(Action.LEASE_STOP);
    return write(tx, caller, id, lease -> lease.dismissed(clock.instant()), Act.ALLOCATION_DISMISS);
  }

  /** Lets it end at this time, instead of when it was to end or never. */
  public Lease endAt(Tx tx, Caller caller, UUID id, Instant end) {
    caller.require(Action.LEASE_UPDATE);
    Lease lease =
        write(
            tx, caller, id, before -> before.endingAt(end, clock.instant()), Act.ALLOCATION_UPDATE);
    store.dueNow(tx, id);
    return lease;
  }

  /**
   * Waits until its state is such, but no longer than this; how it is then. Cheap: the waiting is a
   * virtual thread's.
   */
  public Lease await(UUID id, Predicate<LeaseState> until, Duration limit)
      throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      Lease lease = store.find(id).orElseThrow();
      if (until.test(lease.state()) || System.nanoTime() - end > 0) {
        return lease;
      }
      TimeUnit.NANOSECONDS.sleep(LOOK_EVERY.toNanos());
    }
  }

  /** Asks it to end. Asking again is fine; so is asking when it has ended. */
  public Lease stop(Tx tx, Caller caller, UUID id, EndReason why) {
    caller.require(Action.LEASE_STOP);
    return write(
        tx,
        caller,
        id,
        lease ->
            lease.on(
                new LeaseSignal.StopAsked(why, caller.correlationId()), clock.instant(), rules),
        Act.ALLOCATION_RELEASE);
  }

  /**
   * Has its environment started anew: what runs in it ends, its files, GPUs, address and end stay.
   *
   * @throws Refused when it does not run, or is one that cannot be started again
   */
  public Lease restart(Tx tx, Caller caller, UUID id) {
    caller.require(Action.LEASE_UPDATE);
    LeaseSignal asked = new LeaseSignal.RestartAsked(caller.correlationId());
    return write(
        tx,
        caller,
        id,
        lease -> {
          Accepting.refuseRestart(lease, restartable);
          return lease.on(asked, clock.instant(), rules);
        },
        Act.ALLOCATION_RESTART);
  }

  /**
   * Asks all of everybody's to end, and waits for that, but no longer than this; how many are left.
   */
  public int endAll(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    List<UUID> living = database.read(tx -> LeaseListStore.living(tx, LIVING_MOST));
    living.forEach(this::end);
    while (!living.isEmpty() && System.nanoTime() - end < 0) {
      TimeUnit.NANOSECONDS.sleep(LOOK_EVERY.toNanos());
      living = database.read(tx -> LeaseListStore.living(tx, LIVING_MOST));
    }
    return living.size();
  }

  private void end(UUID id) {
    database.run(tx -> {
      LeaseStore.lock(tx, id);
      Lease lease = LeaseStore.find(tx, id).orElseThrow();
      Change change = lease.on(new LeaseSignal.StopAsked(EndReason.ASKED), clock.instant(), rules);
      var _ = change.isEmpty() || store.write(tx, change);
    });
  }

  /** A change that a caller asked for; nothing is written when it changes nothing. */
  private Lease write(Tx tx, Caller caller, UUID id, Function<Lease, Change> decision, Act act) {
    // Locked, or written against the version that was read: of two, one sees what the other did.
    Optional<Lease> found =
        tx.isShared()
            ? tx.recall(List.of("lease", id), own -> LeaseStore.find(own, id))
            : LeaseStore.locked(tx, id);
    Lease lease = visible(found, caller, id);
    Change change = decision.apply(lease);
    if (write(tx, change)) {
      AuditStore.append(tx, caller, act, id, clock.instant());
    }
    return change.after();
  }

  /** False: nothing changes. */
  private boolean write(Tx tx, Change change) {
    if (change.isEmpty()) {
      return false;
    }
    if (!store.write(tx, change)) {
      throw new IllegalStateException("a locked lease moved on: " + change.after().id());
    }
    return true;
  }

  /** A lease of anybody's that nobody else writes until the end of the transaction. */
  public Lease lockAny(Tx tx, Caller caller, UUID id) {
    caller.require(Action.PLATFORM_OPERATE);
    return known(LeaseStore.locked(tx, id), id);
  }

  /** Something happened to a lease that {@link #lockAny} has locked; true: that changed it. */
  public boolean operate(Tx tx, Lease lease, LeaseSignal signal) {
    return write(tx, lease.on(signal, clock.instant(), rules));
  }

  /** Nothing is left of a lease that ended without a proof; true: it held something until now. */
  public boolean proven(Tx tx, Lease lease) {
    return store.proven(tx, lease);
  }

  /** Why it waits; empty when it does not. */
  public Optional<Delay> delay(Lease lease) {
    if (!(lease.state() instanceof LeaseState.Waiting)) {
      return Optional.empty();
    }
    return Optional.of(database.read(tx -> store.delay(tx, lease)));
  }

  /** What became true of it, oldest first. */
  public List<Event> timeline(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> {
      visible(LeaseStore.find(tx, id), caller, id);
      return EventStore.ofLease(tx, id, EVENTS_MOST);
    });
  }

  /** A lease by itself, for what is told of it. */
  public Optional<Lease> find(Tx tx, UUID id) {
    return LeaseStore.find(tx, id);
  }

  /** A lease that nobody else writes until the end of the transaction; empty: it does not run. */
  public Optional<Lease> lockRunning(Tx tx, UUID id) {
    return LeaseStore.locked(tx, id).filter(lease -> lease.state() instanceof LeaseState.Running);
  }

  /** Tells a locked, running lease something. */
  public void warn(Tx tx, Lease lease, LeaseSignal.Warned what) {
    var _ = store.write(tx, lease.on(what, clock.instant(), rules)); // the row is ours
  }

  /** What made a lease go on, for what is told of it. */
  public List<Event> life(Tx tx, UUID id) {
    return EventStore.turnsOfLease(tx, id, EVENTS_MOST);
  }

  /** A lease by itself, for the gateway, which has checks of its own. */
  public Optional<Lease> find(UUID id) {
    return store.find(id);
  }

  /** The living lease whose environment has this name, for the gateway. */
  public Optional<Lease> findByHostName(String hostName) {
    return database.read(tx -> LeaseStore.findByHostName(tx, hostName));
  }

  private static Lease visible(Optional<Lease> found, Caller caller, UUID id) {
    return known(found.filter(lease -> caller.sees(lease.project())), id);
  }

  static Lease known(Optional<Lease> found, UUID id) {
    return found.orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.LEASE, id.toString())));
  }
}
