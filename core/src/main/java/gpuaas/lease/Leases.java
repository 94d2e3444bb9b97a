package gpuaas.lease;

import gpuaas.access.SshKeys;
import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.capacity.Availability;
import gpuaas.capacity.Delay;
import gpuaas.capacity.Placement;
import gpuaas.capacity.Room;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.PriceStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.provider.Providers;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/** What callers can do with leases. Authorises, decides, writes; never calls a provider. */
public final class Leases {

  private static final int EVENTS_MOST = 1000;
  private static final int HEADROOMS_MOST = 10_000;
  private static final Duration COUNT_HOLDS = Duration.ofSeconds(1);

  private final Database database;
  private final LeaseStore store;
  private final SshKeys sshKeys;
  private final Ids ids;
  private final InstantSource clock;
  private final LeaseRules rules;
  private final int livingMostPerProject;
  private final Map<UUID, Headroom> headroom = new ConcurrentHashMap<>();

  Leases(
      Database database,
      LeaseStore store,
      SshKeys sshKeys,
      Ids ids,
      InstantSource clock,
      LeaseRules rules,
      int livingMostPerProject) {
    this.database = database;
    this.store = store;
    this.sshKeys = sshKeys;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.livingMostPerProject = livingMostPerProject;
  }

  /**
   * Accepts a lease: written, with its event and its work, in the caller's transaction.
   *
   * @param name a label; need not be unique
   */
  public Lease request(Tx tx, Caller caller, LeaseSpec spec, Optional<String> name) {
    caller.require(Action.LEASE_CREATE);
    refuseForeignKeys(tx, caller, spec);
    if (spec.whenFull() == LeaseSpec.WhenFull.QUEUE) {
      refuseWhatNeverFits(tx, spec.want()); // it would wait for ever; what fails will say so itself
    }
    refuseTooMany(tx, caller.project());
    long price = price(tx, spec);
    Change requested = Lease.requested(ids.next(), caller, spec, name, price, clock.instant());
    store.add(tx, requested);
    AuditStore.append(tx, caller, Act.ALLOCATION_CREATE, requested.after().id(), clock.instant());
    return requested.after();
  }

  /**
   * What a GPU of it costs for an hour, from now until the lease ends, whatever becomes of prices.
   * What nobody priced costs what the cheapest provider asks for it.
   */
  private long price(Tx tx, LeaseSpec spec) {
    Want want = spec.want();
    long price =
        tx.recall(List.of("prices", want.gpuModel()), own -> PriceStore.of(own, want.gpuModel()))
            .find(want, clock.instant())
            .or(() -> Placement.cheapest(want, rooms(tx, want)))
            .orElseThrow(() -> new Refused(new Refusal.UnknownGpu(want.gpuModel())));
    long perHour = Math.multiplyExact(price, want.gpuCount());
    spec.guards()
        .maxPricePerHourMicros()
        .filter(most -> perHour > most)
        .ifPresent(most -> {
          throw new Refused(new Refusal.PriceTooHigh(perHour, most));
        });
    return price;
  }

  /**
   * Counting is dear when there are many, so a count is used as long as it surely leaves room: for
   * a second, and for as many leases as were then below the limit.
   */
  private void refuseTooMany(Tx tx, UUID project) {
    Instant now = clock.instant();
    Headroom known = headroom.get(project);
    if (known != null && now.isBefore(known.until()) && known.left().getAndDecrement() > 0) {
      return;
    }
    int living =
        tx.recall(
            List.of("living", project),
            own -> LeaseStore.countLiving(own, project, livingMostPerProject));
    int left = livingMostPerProject - living;
    if (left <= 0) {
      throw new Refused(new Refusal.TooMany(Kind.LEASE, livingMostPerProject));
    }
    if (headroom.size() > HEADROOMS_MOST) {
      headroom.clear();
    }
    headroom.put(project, new Headroom(new AtomicInteger(left - 1), now.plus(COUNT_HOLDS)));
  }

  /** How many leases a project may surely still have. */
  private record Headroom(AtomicInteger left, Instant until) {}

  private void refuseForeignKeys(Tx tx, Caller caller, LeaseSpec spec) {
    List<UUID> missing = sshKeys.missing(tx, caller.project(), spec.sshKeys());
    if (!missing.isEmpty()) {
      throw new Refused(
          new Refusal.Invalid(
              IntStream.range(0, spec.sshKeys().size())
                  .filter(i -> missing.contains(spec.sshKeys().get(i)))
                  .mapToObj(i ->
                      new FieldProblem(
                          "ssh_key_ids[" + i + "]", "is not a registered key of this project"))
                  .toList()));
    }
  }

  private static List<Room> rooms(Tx tx, Want want) {
    return tx.recall(List.of("rooms", want), own -> RoomStore.suiting(own, want));
  }

  private static void refuseWhatNeverFits(Tx tx, Want want) {
    List<Room> rooms = rooms(tx, want);
    if (Placement.couldEverFit(want, rooms)) {
      return;
    }
    Availability there = RoomStore.availability(tx, want.gpuModel());
    String where = want.region().map(region -> " in " + region.code()).orElse("");
    String why =
        there.gpusTotal() == 0
            ? "no machine has " + want.gpuModel() + " GPUs"
            : "no machine"
                + where
                + " has "
                + want.gpuCount()
                + " "
                + want.gpuModel()
                + " GPUs; the largest has "
                + there.largestEver();
    throw new Refused(new Refusal.NeverFits(want.sku(), why));
  }

  /** A lease that the caller may see. */
  public Lease get(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> visible(tx, caller, id));
  }

  /** The same, in a transaction. */
  public Lease get(Tx tx, Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return visible(tx, caller, id);
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
      Optional<Lease> before = after.map(id -> visible(tx, caller, id));
      List<Lease> found =
          LeaseStore.list(tx, Optional.of(caller.project()), states, before, limit + 1);
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
        tx -> LeaseStore.listByPhase(tx, caller.project(), phases, after, limit + 1));
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

  /** A change that a caller asked for; nothing is written when it changes nothing. */
  private Lease write(Tx tx, Caller caller, UUID id, Function<Lease, Change> decision, Act act) {
    // A step may write meanwhile: the row is locked, so that one of the two sees what the other
    // did.
    LeaseStore.lock(tx, id);
    Lease lease = visible(tx, caller, id);
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
    return Optional.of(
        database.read(tx -> {
          Want want = lease.spec().want();
          Availability there = RoomStore.availability(tx, want.gpuModel());
          int ahead = LeaseStore.ahead(tx, lease).size();
          return Delay.explain(want, ahead, there, LeaseStore.knownEnds(tx, want.gpuModel()));
        }));
  }

  /** What became true of it, oldest first. */
  public List<Event> timeline(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> {
      visible(tx, caller, id);
      return EventStore.ofLease(tx, id, EVENTS_MOST);
    });
  }

  /** A lease by itself, for what is told of it. */
  public Optional<Lease> find(Tx tx, UUID id) {
    return LeaseStore.find(tx, id);
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

  private static Lease visible(Tx tx, Caller caller, UUID id) {
    return LeaseStore.find(tx, id)
        .filter(lease -> caller.sees(lease.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.LEASE, id.toString())));
  }

  /** Everything about leases, made in one place: the service, its loop and its sweeper. */
  public record Parts(
      Leases leases,
      LeaseReconciler reconciler,
      OrphanSweeper sweeper,
      SpendingGuard spendingGuard,
      Runnable reviveAll) {}

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
      SshKeys sshKeys,
      String deployment,
      Ids ids,
      InstantSource clock,
      LeaseRules rules,
      int livingMostPerProject,
      Ledger ledger,
      Budgets budgets,
      Hooks hooks) {
    LeaseStore store = new LeaseStore(database, clock, hooks, rules, ledger);
    return new Parts(
        new Leases(database, store, sshKeys, ids, clock, rules, livingMostPerProject),
        new LeaseReconciler(
            store, providers, readiness, deployment, clock, rules, hooks.lastTraffic()),
        new OrphanSweeper(store, providers, deployment),
        new SpendingGuard(database, store, budgets, ledger.rules(), rules, clock),
        store::reviveAll);
  }
}
