package gpuaas.lease;

import gpuaas.capacity.NodeStore;
import gpuaas.command.CommandReconciler;
import gpuaas.db.Claims;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.disk.Disks;
import gpuaas.events.EventStore;
import gpuaas.lease.LeaseState.Place;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.ReconciliationStore;
import gpuaas.queue.Grant;
import gpuaas.queue.Queue;
import gpuaas.queue.QueueStore;
import gpuaas.work.WorkStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes changes of leases with all that follows from them, each against the version that it was
 * computed from. Those that come at the same time share a transaction.
 */
final class LeaseWriteStore {

  private static final String SET =
      """
      update lease set version = change.version, expires_at = change.expires_at, state = change.state,
        attempt = change.attempt, place = change.place, instance_provider = change.instance_provider,
        instance_id = change.instance_id, ssh_host = change.ssh_host, ssh_port = change.ssh_port,
        ssh_user = change.ssh_user, since = change.since, metered_to = change.metered_to,
        quiet_from = change.quiet_from, end_reason = change.end_reason, ended_at = change.ended_at,
        name = change.name, provider = change.provider, region = change.region, ready_at = change.ready_at,
        dismissed_at = change.dismissed_at, reclaim_at = change.reclaim_at, told = change.told::text[],
        trouble = change.trouble, restarts = change.restarts
      """;

  /** Waits for whoever writes the lease. */
  private static final String WRITE =
      """
      %s from %s
      where lease.id = change.id and lease.version = change.version_before
      returning lease.id
      """
          .formatted(SET, LeaseRow.CHANGES.table());

  /** Leaves those out that somebody writes: many must not wait for one. */
  private static final String WRITE_FREE =
      """
      with change as materialized (select * from %s),
      free as materialized (
        select lease.id from change join lease on lease.id = change.id and lease.version = change.version_before
         order by lease.id for update of lease skip locked)
      %s from change
      where lease.id = change.id and lease.version = change.version_before and lease.id in (select id from free)
      returning lease.id
      """
          .formatted(LeaseRow.CHANGES.table(), SET);

  private final Database database;
  private final InstantSource clock;
  private final LeaseParts.Hooks hooks;
  private final LeaseRules rules;
  private final Ledger ledger;
  private final Disks disks;
  private final Queue queue;

  LeaseWriteStore(
      Database database,
      InstantSource clock,
      LeaseParts.Hooks hooks,
      LeaseRules rules,
      Ledger ledger,
      Disks disks,
      Set<String> connected) {
    this.database = database;
    this.clock = clock;
    this.hooks = hooks;
    this.rules = rules;
    this.ledger = ledger;
    this.disks = disks;
    this.queue = new Queue(database, connected, rules.queue(), this::dueNow);
  }

  Queue queue() {
    return queue;
  }

  private final Claims<Change> changes =
      new Claims<>() {
        @Override
        public Object key(Change change) {
          return change.after().id();
        }

        @Override
        public Set<Object> write(Tx tx, List<Change> rows) {
          return Set.copyOf(writeAll(tx, rows, WRITE_FREE));
        }
      };

  /** A lease that takes what is held for it. */
  private static final class Taking {
    final Lease waiting;
    final Instant now;
    @Nullable Change change;

    Taking(Lease waiting, Instant now) {
      this.waiting = waiting;
      this.now = now;
    }
  }

  private final Claims<Taking> takings =
      new Claims<>() {
        @Override
        public Object key(Taking taking) {
          return taking.waiting.id();
        }

        @Override
        public Set<Object> write(Tx tx, List<Taking> rows) {
          Map<UUID, Long> versions = new HashMap<>();
          rows.forEach(taking -> versions.put(taking.waiting.id(), taking.waiting.version()));
          Map<UUID, Grant> grants = QueueStore.takeGrants(tx, versions);
          List<Change> placed =
              rows.stream()
                  .flatMap(taking -> granted(taking, grants.get(taking.waiting.id())))
                  .toList();
          if (writeAll(tx, placed, WRITE).size() < placed.size()) {
            throw new IllegalStateException("a lease moved on though its row was held");
          }
          return Set.copyOf(grants.keySet());
        }
      };

  private Stream<Change> granted(Taking taking, @Nullable Grant grant) {
    if (grant == null) {
      return Stream.empty();
    }
    Change change = placed(taking.waiting, grant, taking.now);
    taking.change = change;
    return Stream.of(change);
  }

  private Change placed(Lease waiting, Grant grant, Instant now) {
    Place place = new Place(grant.offer(), grant.node(), grant.gpuIds());
    return waiting.on(new LeaseSignal.Placed(place), now, rules);
  }

  /** True: written. False: the lease had moved on, and nothing was. */
  boolean write(Change change) {
    return database.together(tx -> write(tx, change), () -> database.tx(tx -> write(tx, change)));
  }

  /** The same, in a transaction with something else. */
  boolean write(Tx tx, Change change) {
    boolean written = true;
    if (tx.isShared()) {
      tx.claim(changes, change);
    } else {
      written = !writeAll(tx, List.of(change), WRITE).isEmpty();
    }
    if (written) {
      tx.afterCommit(() -> tell(change));
    }
    return written;
  }

  private void tell(Change change) {
    Lease after = change.after();
    if (!after.state().isOver() || !after.state().equals(change.before().state())) {
      hooks.changed().accept(after); // an end is no news twice
    }
  }

  /** Takes what is held for a waiting lease; empty: nothing is, or it must be looked at alone. */
  Optional<Lease> takeTogether(Lease waiting, Instant now) {
    Taking taking = new Taking(waiting, now);
    boolean taken =
        database.together(
            tx -> {
              tx.claim(takings, taking);
              tx.afterCommit(() -> tell(Objects.requireNonNull(taking.change)));
              return true;
            },
            () -> false);
    return taken ? Optional.of(Objects.requireNonNull(taking.change).after()) : Optional.empty();
  }

  /** The same, in a transaction by itself that holds the row as it was read. */
  Optional<Lease> take(Tx tx, Lease waiting, Instant now) {
    return QueueStore.takeGrant(tx, waiting.id())
        .map(grant -> placed(waiting, grant, now))
        .filter(change -> write(tx, change))
        .map(Change::after);
  }

  /** The leases that were written. */
  private Set<UUID> writeAll(Tx tx, List<Change> all, String sql) {
    if (all.isEmpty()) {
      return Set.of();
    }
    var update = tx.query(sql);
    LeaseRow.CHANGES.bind(update, all);
    Set<UUID> written = update.mapTo(UUID.class).set();
    List<Change> done =
        all.stream().filter(change -> written.contains(change.after().id())).toList();
    done.forEach(change -> follow(tx, change));
    ledger.follow(tx, done.stream().map(LeaseWriteStore::turn).toList());
    release(tx, done);
    return written;
  }

  private static Ledger.Turn turn(Change change) {
    return new Ledger.Turn(
        change.after().id(), change.startedAt(), change.usage(), change.after().state().isOver());
  }

  private void follow(Tx tx, Change change) {
    Lease after = change.after();
    change.events().forEach(event -> EventStore.append(tx, event));
    after
        .state()
        .named()
        .filter(instance -> !change.before().state().named().equals(Optional.of(instance)))
        .ifPresent(instance -> ReconciliationStore.seen(tx, instance, after.id(), clock.instant()));
    if (after.state().isOver() && !change.before().state().isOver()) {
      LeaseListStore.living(tx, after).forEach(mate -> dueNow(tx, mate)); // they end with it
    }
    switch (after.state()) {
      case LeaseState.Ended ended -> {
        if (!(change.before().state() instanceof LeaseState.Ended) && isProven(ended)) {
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
      case LeaseState.Waiting _, LeaseState.Provisioning _, LeaseState.Booting _ -> {}
    }
  }

  private void releaseDisk(Tx tx, Lease lease, EndReason why) {
    boolean used = lease.history().readyAt().isPresent();
    lease
        .spec()
        .disk()
        .ifPresent(disk -> disks.released(tx, disk, lease.id(), used, why == EndReason.ASKED));
  }

  /** What may still be used by something is nobody else's. */
  private static boolean isProven(LeaseState.Ended ended) {
    return ended.why() != EndReason.CLEANUP_UNPROVEN;
  }

  /** Gives back what a lease held that ended without a proof: now there is one. */
  boolean proven(Tx tx, Lease lease) {
    if (NodeStore.release(tx, List.of(lease.id())).isEmpty()) {
      return false;
    }
    releaseDisk(tx, lease, EndReason.CLEANUP_UNPROVEN);
    queue.wakeFirst(tx, lease.spec().want().gpuModel());
    return true;
  }

  /** Gives back the GPUs of those who have none, and lets the first who waits for such look. */
  private void release(Tx tx, List<Change> done) {
    Map<UUID, String> models =
        done.stream()
            .map(Change::after)
            .filter(after ->
                switch (after.state()) {
                  case LeaseState.Waiting _ -> true;
                  case LeaseState.Ended ended -> isProven(ended);
                  default -> false;
                })
            .collect(Collectors.toMap(Lease::id, after -> after.spec().want().gpuModel()));
    if (models.isEmpty()) {
      return;
    }
    QueueStore.dropGrants(tx, models.keySet());
    NodeStore.release(tx, models.keySet()).stream()
        .map(models::get)
        .distinct()
        .sorted()
        .forEach(model -> queue.wakeFirst(tx, Objects.requireNonNull(model)));
  }

  void dueNow(Tx tx, UUID lease) {
    WorkStore.due(tx, LeaseStore.KIND, lease, clock.instant());
    tx.afterCommit(() -> hooks.wake().accept(LeaseStore.KIND, lease));
  }
}
