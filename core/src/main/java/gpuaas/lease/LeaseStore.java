package gpuaas.lease;

import gpuaas.capacity.NodeStore;
import gpuaas.capacity.Placement;
import gpuaas.capacity.Reclaim;
import gpuaas.capacity.Room;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.Want;
import gpuaas.command.CommandReconciler;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.db.Tx;
import gpuaas.disk.Disks;
import gpuaas.events.EventStore;
import gpuaas.lease.LeaseState.Place;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.ReconciliationStore;
import gpuaas.spi.Offer;
import gpuaas.spi.Tier;
import gpuaas.work.WorkStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** The leases in the database. */
final class LeaseStore implements LeaseBook {

  /** The kind of work that looks at a lease. */
  static final String KIND = "lease";

  private static final int WOKEN_MOST = 100;

  /** Whose GPUs will be free without anybody doing anything. */
  private static final String LEAVING =
      "(state = 'stopping' or (state = 'running' and reclaim_at is not null))";

  private static final String RECLAIMABLE =
      "state in ('provisioning', 'booting', 'running') and reclaim_at is null and spec -> 'want'"
          + " ->> 'tier' = 'SPOT'";

  private final Database database;
  private final InstantSource clock;
  private final Leases.Hooks hooks;
  private final LeaseRules rules;
  private final Ledger ledger;
  private final Disks disks;

  LeaseStore(
      Database database,
      InstantSource clock,
      Leases.Hooks hooks,
      LeaseRules rules,
      Ledger ledger,
      Disks disks) {
    this.database = database;
    this.clock = clock;
    this.hooks = hooks;
    this.rules = rules;
    this.ledger = ledger;
    this.disks = disks;
  }

  @Override
  public Optional<Lease> find(UUID lease) {
    return database.read(tx -> find(tx, lease));
  }

  static Optional<Lease> find(Tx tx, UUID lease) {
    return tx.query("select * from lease where id = :id")
        .bind("id", lease)
        .map(LeaseRow::read)
        .findOne();
  }

  static Optional<Lease> findByHostName(Tx tx, String hostName) {
    return tx.query(
            "select * from lease where 'lease-' || right(id::text, 12) = :hostName and state in"
                + " ('booting', 'running') limit 1")
        .bind("hostName", hostName)
        .map(LeaseRow::read)
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
    return database.tx(tx -> write(tx, change));
  }

  /** The same, in a transaction with something else. */
  boolean write(Tx tx, Change change) {
    Lease after = change.after();
    var update =
        tx.update(
            """
            update lease set version = :version, expires_at = :expiresAt, state = :state, attempt = :attempt,
              place = :place::jsonb, instance_provider = :instanceProvider, instance_id = :instanceId,
              ssh_host = :sshHost, ssh_port = :sshPort, ssh_user = :sshUser, since = :since, metered_to = :meteredTo,
              quiet_from = :quietFrom, end_reason = :endReason, ended_at = :endedAt,
              name = :name, provider = :provider, region = :region, ready_at = :readyAt, dismissed_at = :dismissedAt, reclaim_at = :reclaimAt,
              told = :told
            where id = :id and version = :versionBefore
            """);
    LeaseRow.bindState(update, after);
    if (update.bind("versionBefore", change.before().version()).execute() == 0) {
      return false;
    }
    if (!after.state().isOver() || !after.state().equals(change.before().state())) {
      tx.afterCommit(() -> hooks.changed().accept(after)); // an end is no news twice
    }
    change.events().forEach(event -> EventStore.append(tx, event));
    after
        .state()
        .named()
        .filter(instance -> !change.before().state().named().equals(Optional.of(instance)))
        .ifPresent(instance -> ReconciliationStore.seen(tx, instance, after.id(), clock.instant()));
    ledger.follow(tx, after.id(), change.startedAt(), change.usage(), after.state().isOver());
    switch (after.state()) {
      case LeaseState.Waiting _ -> release(tx, after);
      case LeaseState.Ended ended -> {
        release(tx, after);
        if (!(change.before().state() instanceof LeaseState.Ended)) {
          releaseDisk(tx, after, ended.why());
        }
      }
      case LeaseState.Stopping _ -> dueNow(tx, after.id());
      case LeaseState.Running _ -> {
        if (!(change.before().state() instanceof LeaseState.Running)
            && after.spec().command().isPresent()) {
          WorkStore.due(tx, CommandReconciler.KIND, after.id(), clock.instant());
          tx.afterCommit(() -> hooks.wake().accept(CommandReconciler.KIND, after.id()));
        }
      }
      case LeaseState.Provisioning _, LeaseState.Booting _ -> {}
    }
    return true;
  }

  private void releaseDisk(Tx tx, Lease lease, EndReason why) {
    boolean used = lease.history().readyAt().isPresent();
    lease
        .spec()
        .disk()
        .ifPresent(disk -> disks.released(tx, disk, lease.id(), used, why == EndReason.ASKED));
  }

  /** Gives back its GPUs, and lets those who wait for such look again. */
  private void release(Tx tx, Lease lease) {
    if (NodeStore.release(tx, lease.id()) == 0) {
      return;
    }
    tx.query(
            "select id from lease where state = 'waiting' and gpu_model = :model and id <> :id"
                + " order by made_at, id limit :limit")
        .bind("model", lease.spec().want().gpuModel())
        .bind("id", lease.id())
        .bind("limit", WOKEN_MOST)
        .mapTo(UUID.class)
        .list()
        .forEach(waiting -> dueNow(tx, waiting));
  }

  void dueNow(Tx tx, UUID lease) {
    WorkStore.due(tx, KIND, lease, clock.instant());
    tx.afterCommit(() -> hooks.wake().accept(KIND, lease));
  }

  @Override
  public Turn place(Lease waiting, Instant now) {
    try {
      return database.tx(tx -> place(tx, waiting, now));
    } catch (Duplicate taken) {
      return new Turn.MovedOn(); // somebody took a GPU against the rules of turn: look afresh
    }
  }

  private Turn place(Tx tx, Lease waiting, Instant now) {
    NodeStore.lockPlacing(tx);
    Want want = waiting.spec().want();
    List<Want> ahead = ahead(tx, waiting);
    List<Room> rooms =
        Placement.affordable(RoomStore.suiting(tx, ahead, want), waiting.pricePerGpuHourMicros());
    Optional<Placement.Choice> choice = Placement.chooseInTurn(ahead, want, rooms);
    if (choice.isEmpty()) {
      return new Turn.Full(makeRoom(tx, waiting, ahead, rooms, now));
    }
    Offer offer = choice.get().room().offer().withGpuCount(want.gpuCount());
    String node = choice.get().room().node();
    // Without a node the provider chooses the GPUs; what is claimed then is the offer itself.
    Place place = new Place(offer, node, node.isEmpty() ? List.of() : choice.get().gpuIds());
    Change change = waiting.on(new LeaseSignal.Placed(place), now, rules);
    if (!write(tx, change)) {
      return new Turn.MovedOn();
    }
    NodeStore.claim(tx, waiting.id(), offer.provider(), node, choice.get().gpuIds());
    return new Turn.Taken(change.after());
  }

  /** Takes spot leases back, if that helps; true: there will be room. */
  private boolean makeRoom(Tx tx, Lease waiting, List<Want> ahead, List<Room> rooms, Instant now) {
    Want want = waiting.spec().want();
    if (want.tier() == Tier.SPOT) {
      return false;
    }
    Reclaim.Answer answer =
        Reclaim.decide(
            ahead, want, rooms, holders(tx, want, LEAVING), holders(tx, want, RECLAIMABLE));
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

  private static List<Reclaim.Holder> holders(Tx tx, Want want, String which) {
    return tx.query(
            """
            select lease.id, claim.provider, claim.node, array_agg(claim.gpu_id order by claim.gpu_id) as gpu_ids
              from lease join gpu_claim claim on claim.lease_id = lease.id
             where lease.gpu_model = :model and %s
             group by lease.id, lease.made_at, claim.provider, claim.node
             order by lease.made_at desc, lease.id desc limit 10000
            """
                .formatted(which))
        .bind("model", want.gpuModel())
        .map(row ->
            new Reclaim.Holder(
                row.getColumn("id", UUID.class),
                row.getColumn("provider", String.class),
                row.getColumn("node", String.class),
                List.of(row.getColumn("gpu_ids", String[].class))))
        .list();
  }

  /**
   * What those want whose turn is before: who came before; and before a spot lease everybody who
   * waits for firm ones, for what is taken back for them is theirs.
   */
  static List<Want> ahead(Tx tx, Lease waiting) {
    return tx
        .query(
            """
            select * from lease
             where state = 'waiting' and gpu_model = :model
               and (spec -> 'want' ->> 'tier' = 'ON_DEMAND' or :spot)
               and ((made_at, id) < (:madeAt, :id) or (:spot and spec -> 'want' ->> 'tier' = 'ON_DEMAND'))
             order by spec -> 'want' ->> 'tier', made_at, id limit 10000
            """)
        .bind("model", waiting.spec().want().gpuModel())
        .bind("spot", waiting.spec().want().tier() == Tier.SPOT)
        .bind("madeAt", waiting.createdAt())
        .bind("id", waiting.id())
        .map(LeaseRow::read)
        .stream()
        .map(lease -> lease.spec().want())
        .toList();
  }

  @Override
  public List<String> authorizedKeys(Lease lease) {
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
  public boolean isKeptNow(Lease lease) {
    return database.read(tx -> LeaseListStore.isKeptNow(tx, lease));
  }

  /** Holds the row; true: nobody has written it since it was read. */
  private static boolean isAsRead(Tx tx, Lease lease) {
    lock(tx, lease.id());
    return find(tx, lease.id()).map(Lease::version).filter(v -> v == lease.version()).isPresent();
  }

  /** Holds the row until the end of the transaction. */
  static void lock(Tx tx, UUID lease) {
    tx.query("select 1 from lease where id = :id for update")
        .bind("id", lease)
        .mapTo(Integer.class)
        .list();
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
