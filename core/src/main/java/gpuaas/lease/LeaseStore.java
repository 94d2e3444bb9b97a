package gpuaas.lease;

import gpuaas.capacity.Delay;
import gpuaas.capacity.NodeStore;
import gpuaas.capacity.Placement;
import gpuaas.capacity.Reclaim;
import gpuaas.capacity.Room;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.db.Tx;
import gpuaas.disk.Disks;
import gpuaas.events.EventStore;
import gpuaas.ledger.Ledger;
import gpuaas.queue.Queue;
import gpuaas.queue.QueueStore;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/** The leases in the database. */
final class LeaseStore implements LeaseBook {

  /** The kind of work that looks at a lease. */
  static final String KIND = "lease";

  private final Database database;
  private final InstantSource clock;
  private final LeaseRules rules;
  private final Ledger ledger;
  private final LeaseWriteStore writes;
  private final Queue queue;

  /**
   * @param connected providers that can hold gangs
   */
  LeaseStore(
      Database database,
      InstantSource clock,
      LeaseParts.Hooks hooks,
      LeaseRules rules,
      Ledger ledger,
      Disks disks,
      Set<String> connected) {
    this.database = database;
    this.clock = clock;
    this.rules = rules;
    this.ledger = ledger;
    this.writes = new LeaseWriteStore(database, clock, hooks, rules, ledger, disks, connected);
    this.queue = writes.queue();
  }

  @Override
  public Optional<Lease> find(UUID lease) {
    return database.read(tx -> find(tx, lease));
  }

  static Optional<Lease> find(Tx tx, UUID lease) {
    return tx.query("select * from lease where id = :id")
        .bind("id", lease)
        .map(LeaseRow.READ)
        .findOne();
  }

  static Optional<Lease> findByHostName(Tx tx, String hostName) {
    return tx.query(
            "select * from lease where 'lease-' || right(id::text, 12) = :hostName and state in"
                + " ('booting', 'running') limit 1")
        .bind("hostName", hostName)
        .map(LeaseRow.READ)
        .findFirst();
  }

  /**
   * Writes a new lease, what is set aside for it, what to tell, and the work. Refuses what cannot
   * be paid.
   */
  void add(Tx tx, Change requested) {
    Lease lease = requested.after();
    tx.later(LeaseRow.NEW, lease);
    Want want = lease.spec().want();
    ledger.hold(tx, lease.owner(), want.gpuModel(), want.gpuCount(), lease.pricePerGpuHourMicros());
    requested.events().forEach(event -> EventStore.append(tx, event));
    dueNow(tx, lease.id());
  }

  @Override
  public boolean write(Change change) {
    return writes.write(change);
  }

  /** The same, in a transaction with something else. */
  boolean write(Tx tx, Change change) {
    return writes.write(tx, change);
  }

  void dueNow(Tx tx, UUID lease) {
    writes.dueNow(tx, lease);
  }

  @Override
  public Turn place(Lease waiting, Instant now) {
    try {
      Optional<Lease> taken = writes.takeTogether(waiting, now);
      if (taken.isPresent()) {
        return new Turn.Taken(taken.get());
      }
      String model = waiting.spec().want().gpuModel();
      boolean again = waiting.state() instanceof LeaseState.Waiting(int tries) && tries > 0;
      Queue.Look look = again ? queue.look(model, waiting.id(), now) : queue.look(model, now);
      boolean hopeless = look.placed() == 0 && !look.reclaimable();
      if (hopeless && !database.read(tx -> QueueStore.isGranted(tx, waiting.id()))) {
        return new Turn.Full(false); // whoever holds something for it later wakes it
      }
      return database.tx(tx ->
          take(tx, waiting, now)
              .orElseGet(() -> new Turn.Full(look.reclaimable() && makeRoom(tx, waiting, now))));
    } catch (Duplicate taken) {
      return new Turn.MovedOn(); // somebody took a GPU against the rules of turn: look afresh
    }
  }

  /** Takes what is held for it; empty: nothing is. */
  private Optional<Turn> take(Tx tx, Lease waiting, Instant now) {
    if (!QueueStore.isGranted(tx, waiting.id())) {
      return Optional.empty();
    }
    if (!isAsRead(tx, waiting)) {
      return Optional.of(new Turn.MovedOn());
    }
    return Optional.of(
        writes.take(tx, waiting, now).<Turn>map(Turn.Taken::new).orElseGet(Turn.MovedOn::new));
  }

  /**
   * Takes spot leases back, and what others hold above what is sure to them, if that helps; true:
   * there will be room.
   */
  private boolean makeRoom(Tx tx, Lease waiting, Instant now) {
    Want want = waiting.spec().want();
    if (want.tier() == Tier.SPOT || waiting.spec().gang().isPresent()) {
      return false; // a gang waits for what is free: nobody else's end alone would help it
    }
    NodeStore.lockPlacing(tx);
    List<Want> ahead = ahead(tx, waiting);
    List<Room> rooms =
        Placement.affordable(RoomStore.suiting(tx, ahead, want), waiting.pricePerGpuHourMicros());
    Reclaim.Answer answer =
        Reclaim.decide(
            ahead,
            want,
            rooms,
            QueueStore.leaving(tx, want.gpuModel()),
            QueueStore.reclaimable(tx, want.gpuModel()));
    if (!answer.underWay()) {
      answer = queue.takeBack(tx, waiting.id(), want.gpuModel(), rooms, now);
    }
    if (!answer.take().isEmpty() && !isAsRead(tx, waiting)) {
      return false; // it was stopped meanwhile: nobody makes room for nobody
    }
    for (Reclaim.Holder holder : answer.take()) {
      lock(tx, holder.lease());
      Lease spot = find(tx, holder.lease()).orElseThrow();
      if (spot.state().isOver()) {
        continue; // ended meanwhile: that makes room too
      }
      Change change =
          spot.on(new LeaseSignal.ReclaimAsked(now.plus(rules.spotGrace())), now, rules);
      if (!change.isEmpty() && write(tx, change)) {
        dueNow(tx, spot.id());
      }
    }
    return answer.underWay();
  }

  /** What those want whose turn is before. */
  static List<Want> ahead(Tx tx, Lease waiting) {
    Want want = waiting.spec().want();
    return QueueStore.ahead(tx, want.gpuModel(), waiting.id());
  }

  @Override
  public List<Lease> unproven(String provider) {
    return database.read(tx -> LeaseListStore.unproven(tx, provider));
  }

  @Override
  public void proven(Lease lease) {
    database.run(tx -> {
      var _ = proven(tx, lease); // or somebody else has said so already
    });
  }

  /** True: it held something until now. */
  boolean proven(Tx tx, Lease lease) {
    return writes.proven(tx, lease);
  }

  @Override
  public List<String> authorizedKeys(Lease lease) {
    if (lease.spec().sshKeys().isEmpty()) {
      return lease.spec().ownKeys();
    }
    List<String> registered =
        database.read(tx ->
            tx.query(
                    "select public_key from ssh_key where id = any(:ids) order by made_at, id limit"
                        + " 100")
                .bindArray("ids", UUID.class, lease.spec().sshKeys())
                .mapTo(String.class)
                .list());
    return Stream.concat(lease.spec().ownKeys().stream(), registered.stream()).toList();
  }

  @Override
  public List<Lease> mates(Lease lease) {
    return database.read(tx -> LeaseListStore.mates(tx, lease));
  }

  @Override
  public boolean isKeptNow(Lease lease) {
    return database.read(tx -> LeaseListStore.isKeptNow(tx, lease));
  }

  @Override
  public List<String> lostGpus(Lease lease) {
    return database.read(tx -> NodeStore.lost(tx, lease.id()));
  }

  /** Holds the row; true: nobody has written it since it was read. */
  private static boolean isAsRead(Tx tx, Lease lease) {
    lock(tx, lease.id());
    return find(tx, lease.id()).map(Lease::version).filter(v -> v == lease.version()).isPresent();
  }

  /** A lease that nobody else writes until the end of the transaction. */
  static Optional<Lease> locked(Tx tx, UUID lease) {
    lock(tx, lease);
    return find(tx, lease);
  }

  /** Holds the row until the end of the transaction. */
  static void lock(Tx tx, UUID lease) {
    tx.query("select 1 from lease where id = :id for update")
        .bind("id", lease)
        .mapTo(Integer.class)
        .list();
  }

  /** Why it waits. */
  Delay delay(Tx tx, Lease waiting) {
    return queue.explain(tx, waiting.id(), waiting.spec().want().gpuModel(), clock.instant());
  }

  /** Sees to it that nobody waits for what is there. */
  void lookAtQueue() {
    queue.lookAround(clock.instant());
  }

  /** At the start: every living lease is looked at now, whatever became of its work. */
  void reviveAll() {
    database.run(tx -> livingWithoutWork(tx).forEach(lease -> dueNow(tx, lease)));
  }

  /**
   * Every lease that has not ended and has no work: none, unless a row was lost; found at the
   * start.
   */
  private static List<UUID> livingWithoutWork(Tx tx) {
    return tx.query(
            """
            select id from lease
             where state <> 'ended'
               and not exists (select 1 from work where task_name = :kind and task_instance = lease.id::text)
             limit 10000
            """)
        .bind("kind", KIND)
        .mapTo(UUID.class)
        .list();
  }
}
