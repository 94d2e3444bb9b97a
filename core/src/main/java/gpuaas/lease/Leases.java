package gpuaas.lease;

import gpuaas.access.SshKeys;
import gpuaas.archive.Archives;
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
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.disk.Disks;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.provider.Providers;
import gpuaas.spi.gang.HasGangs;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
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

  Leases(
      Database database,
      LeaseStore store,
      Accepting accepting,
      Ids ids,
      InstantSource clock,
      LeaseRules rules) {
    this.database = database;
    this.store = store;
    this.accepting = accepting;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
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
   * @param states the names of states; empty: all
   * @param after where the last page ended, as its {@code next} says
   */
  public Page<Lease> list(Caller caller, List<String> states, Optional<UUID> after, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> {
      Optional<Lease> before = after.map(id -> visible(LeaseStore.find(tx, id), caller, id));
      List<Lease> found =
          LeaseListStore.list(tx, Optional.of(caller.project()), states, before, limit + 1);
      boolean more = found.size() > limit;
      List<Lease> page = more ? found.subList(0, limit) : found;
      return new Page<>(
          page, more ? Optional.of(page.getLast().id().toString()) : Optional.empty());
    });
  }

  /**
   * Leases of the caller's project, newest first.
   *
   * @param phases only these; empty: all but those that are gone
   * @param after where the last page ended
   * @param limit one more is returned when there are more
   */
  public List<Lease> list(
      Caller caller, Set<LeaseState.Phase> phases, Optional<Lease.Position> after, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(
        tx -> LeaseListStore.listByPhase(tx, caller.project(), phases, after, limit + 1));
  }

  /** Leases of the caller's project, newest first, that their makers have written this on. */
  public List<Lease> list(Caller caller, Filter filter, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> LeaseListStore.list(tx, caller.project(), filter, limit));
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

  /** Leases of these states that go on, and those that are over for these reasons. */
  public record Standing(Set<String> states, Set<EndReason> reasons) {}

  /** Leases, and how many there are besides. */
  public record Part(List<Lease> leases, int total) {}

  /** How many there are, of everybody's, by provider and state; for those who run the platform. */
  public List<Count> counts() {
    return database.read(LeaseListStore::counts);
  }

  /** So many leases of a state at a provider. */
  public record Count(String provider, String state, int leases) {}

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
    if (change.isEmpty()) {
      return lease;
    }
    if (!store.write(tx, change)) {
      throw new IllegalStateException("a locked lease moved on: " + id);
    }
    AuditStore.append(tx, caller, act, id, clock.instant());
    return change.after();
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
    return found
        .filter(lease -> caller.sees(lease.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.LEASE, id.toString())));
  }

  /**
   * Which leases. What is empty does not matter.
   *
   * @param consumer as written on it with {@link LeaseSpec#CONSUMER}
   * @param parents as written on it with {@link LeaseSpec#PARENT}
   * @param provider that it was last placed at, or was to be
   * @param states by name
   * @param failed whether it is ending or ended by a failure
   */
  public record Filter(
      Optional<String> consumer,
      Set<String> parents,
      Optional<String> provider,
      Set<String> states,
      Optional<Boolean> failed) {

    /** All of them. */
    public static final Filter ALL =
        new Filter(Optional.empty(), Set.of(), Optional.empty(), Set.of(), Optional.empty());
  }

  /** Everything about leases, made in one place: the service, its loop and its sweeper. */
  public record Parts(
      Leases leases,
      LeaseReconciler reconciler,
      OrphanSweeper sweeper,
      SpendingGuard spendingGuard,
      Runnable reviveAll,
      Runnable lookAtQueue) {}

  /**
   * Who is told of what, after each commit, and who is asked.
   *
   * @param wake kind and id of what is due now
   * @param changed a lease as it was just written
   * @param lastTraffic when anything last went into or out of a lease, if that is known
   */
  public record Hooks(
      BiConsumer<String, UUID> wake,
      Consumer<Lease> changed,
      Function<UUID, Optional<Instant>> lastTraffic) {}

  /** Makes the parts. */
  public static Parts open(
      Database database,
      Providers providers,
      Readiness readiness,
      Archives archives,
      Disks disks,
      Commands commands,
      SshKeys sshKeys,
      String deployment,
      Ids ids,
      InstantSource clock,
      LeaseRules rules,
      int livingMostPerProject,
      Ledger ledger,
      Budgets budgets,
      Hooks hooks) {
    LeaseStore store =
        new LeaseStore(
            database, clock, hooks, rules, ledger, disks, providers.having(HasGangs.class));
    return new Parts(
        new Leases(
            database,
            store,
            new Accepting(sshKeys, clock, livingMostPerProject, rules.queue()),
            ids,
            clock,
            rules),
        new LeaseReconciler(
            store,
            providers,
            readiness,
            archives,
            disks,
            commands,
            deployment,
            clock,
            rules,
            hooks.lastTraffic()),
        new OrphanSweeper(store, providers, deployment),
        new SpendingGuard(database, store, budgets, providers, ledger.rules(), rules, clock),
        store::reviveAll,
        store::lookAtQueue);
  }
}
