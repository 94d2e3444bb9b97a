package gpuaas.disk;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.disk.Disk.Operation;
import gpuaas.disk.Disk.Snapshot;
import gpuaas.provider.Providers;
import gpuaas.work.WorkStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

/**
 * What callers can do with disks. What a provider has to do for it, {@link DiskReconciler} does.
 */
public final class Disks {

  /** The kind of work that looks at a disk. */
  static final String KIND = "disk";

  /** What a disk may be called. */
  public static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,128}");

  private final Database database;
  private final Keepers keepers;
  private final Ids ids;
  private final InstantSource clock;
  private final DiskRules rules;
  private final BiConsumer<String, UUID> wake;

  /**
   * @param wake told of work that is due now
   */
  public Disks(
      Database database,
      Providers providers,
      Ids ids,
      InstantSource clock,
      DiskRules rules,
      BiConsumer<String, UUID> wake) {
    this.database = database;
    this.keepers = new Keepers(providers, clock, rules);
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.wake = wake;
  }

  /** The limits. */
  public DiskRules rules() {
    return rules;
  }

  /**
   * Who keeps new disks: the first that has room, else the first.
   *
   * @param largestBytes of all disks there together. One may be promised more, for what is not
   *     written takes no room; it ends where the room does
   * @param usedPercent of that room
   */
  public record Keeper(String provider, long largestBytes, int usedPercent) {}

  /** Empty: nobody does. May have been so half a minute ago. */
  public Optional<Keeper> keeper() {
    return keepers.find();
  }

  /**
   * A new disk, made soon; or the one of this name that is there, as it is.
   *
   * @param sizeBytes empty: as the rules say
   */
  public Disk create(Tx tx, Caller caller, String name, Optional<Long> sizeBytes) {
    return create(tx, caller, name, sizeBytes, Optional.empty(), Operation.Kind.CREATE);
  }

  private Disk create(
      Tx tx,
      Caller caller,
      String name,
      Optional<Long> sizeBytes,
      Optional<UUID> origin,
      Operation.Kind kind) {
    caller.require(Action.DISK_WRITE);
    requireName(name);
    Optional<Disk> same = DiskStore.find(tx, caller.project(), name);
    if (same.isPresent()) {
      if (kind == Operation.Kind.CREATE && same.get().deleteAt().isEmpty()) {
        return same.get();
      }
      throw exists(name);
    }
    Keeper keeper = keepers.withRoomFor(name);
    long size = sizeBytes.orElseGet(() -> Math.min(rules.sizeBytes(), keeper.largestBytes()));
    List<Disk> there = DiskStore.list(tx, caller.project());
    if (there.size() >= rules.disksMost()) {
      throw new Refused(new Refusal.TooMany(Kind.DISK, rules.disksMost()));
    }
    if (there.stream().mapToLong(Disk::sizeBytes).sum() + size > rules.bytesMost()) {
      throw new Refused(
          Refusal.Invalid.field(
              "size_gb",
              "is more than your disks may have together: " + (rules.bytesMost() >> 30) + " GB"));
    }
    Instant now = clock.instant();
    Disk disk =
        new Disk(
            ids.next(),
            caller.project(),
            caller.user(),
            name,
            keeper.provider(),
            size,
            0,
            origin,
            Disk.State.MAKING,
            now,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            new Operation(ids.next(), kind, Operation.Status.QUEUED, "", now, now),
            Optional.empty(),
            0,
            false);
    DiskStore.add(tx, disk);
    AuditStore.append(tx, caller, Act.DISK_CREATE, disk.id(), now);
    dueNow(tx, disk.id());
    return disk;
  }

  /** A new disk that begins with what another one has now. */
  public Disk copy(Tx tx, Caller caller, String name, String newName) {
    Disk disk = usable(tx, caller, name);
    Snapshot newest =
        DiskStore.snapshots(tx, disk.id()).stream()
            .filter(snapshot -> snapshot.state() == Disk.State.READY)
            .findFirst()
            .orElseThrow(() ->
                new Refused(
                    new Refusal.WrongState(Kind.DISK, name, "without a snapshot", "snapshot")));
    return create(
        tx,
        caller,
        newName,
        Optional.of(disk.sizeBytes()),
        Optional.of(newest.id()),
        Operation.Kind.CLONE);
  }

  /** The caller's disks, newest first; those that were given up too. */
  public List<Disk> list(Caller caller) {
    caller.require(Action.DISK_READ);
    return database.read(tx -> DiskStore.list(tx, caller.project()));
  }

  /** One of the caller's, also when it was given up. */
  public Disk get(Caller caller, String name) {
    caller.require(Action.DISK_READ);
    return database.read(tx -> visible(tx, caller, name));
  }

  /** The snapshots of one, newest first. */
  public List<Snapshot> snapshots(Caller caller, String name) {
    caller.require(Action.DISK_READ);
    return database.read(tx -> DiskStore.snapshots(tx, visible(tx, caller, name).id()));
  }

  /**
   * The disk that a new lease gets as its home folder; made now when there is none of this name.
   *
   * @throws Refused when it is in use, or was given up; a new one when the room for disks is short
   */
  public Disk attach(Tx tx, Caller caller, String name, Optional<Long> sizeBytes) {
    caller.require(Action.DISK_WRITE);
    requireName(name);
    Optional<Disk> there = DiskStore.find(tx, caller.project(), name);
    if (there.isEmpty()) {
      return create(tx, caller, name, sizeBytes);
    }
    Disk disk = usable(tx, caller, name);
    requireFree(disk, "use");
    return disk;
  }

  /** Gives it up; it can be had back for a while. */
  public Disk delete(Tx tx, Caller caller, String name) {
    caller.require(Action.DISK_WRITE);
    Disk disk = locked(tx, caller, name);
    requireFree(disk, "delete");
    Instant now = clock.instant();
    if (disk.deletedAt().isEmpty()) {
      DiskStore.givenUp(tx, disk.id(), now, now.plus(rules.keptFor()));
    }
    done(tx, disk, Operation.Kind.DELETE, now);
    AuditStore.append(tx, caller, Act.DISK_DELETE, disk.id(), now);
    dueNow(tx, disk.id());
    return DiskStore.find(tx, disk.id()).orElseThrow();
  }

  /** Takes it back. */
  public Disk undelete(Tx tx, Caller caller, String name) {
    caller.require(Action.DISK_WRITE);
    Disk disk = locked(tx, caller, name);
    Instant now = clock.instant();
    DiskStore.givenUp(tx, disk.id(), null, null);
    done(tx, disk, Operation.Kind.UNDELETE, now);
    AuditStore.append(tx, caller, Act.DISK_UPDATE, disk.id(), now);
    return DiskStore.find(tx, disk.id()).orElseThrow();
  }

  /** Keeps what is on it now, also while it is in use. */
  public Disk snapshot(Tx tx, Caller caller, String name) {
    caller.require(Action.DISK_WRITE);
    Disk disk = usable(tx, caller, name);
    Instant now = clock.instant();
    Operation.Kind kind = Operation.Kind.SNAPSHOT;
    DiskStore.asked(
        tx, disk.id(), new Operation(ids.next(), kind, Operation.Status.QUEUED, "", now, now));
    DiskStore.addSnapshot(tx, ids.next(), disk.id(), Snapshot.Kind.ASKED, Optional.empty(), now);
    AuditStore.append(tx, caller, Act.DISK_UPDATE, disk.id(), now);
    dueNow(tx, disk.id());
    return DiskStore.find(tx, disk.id()).orElseThrow();
  }

  /** Calls it something else, and its snapshots with it; how many those are. */
  public int rename(Tx tx, Caller caller, String name, String newName) {
    caller.require(Action.DISK_WRITE);
    requireName(newName);
    Disk disk = locked(tx, caller, name);
    if (disk.isDeleted()) {
      throw new Refused(new Refusal.WrongState(Kind.DISK, name, "deleted", "kept"));
    }
    requireFree(disk, "rename");
    if (DiskStore.find(tx, caller.project(), newName).isPresent()) {
      throw exists(newName);
    }
    DiskStore.rename(tx, disk.id(), newName);
    AuditStore.append(tx, caller, Act.DISK_UPDATE, disk.id(), clock.instant());
    return DiskStore.renameSnapshots(tx, disk.id(), newName);
  }

  // --- for leases ---

  /** Whether a disk may be given to an instance. */
  public enum Readiness {
    READY,
    /** It is being made, or what was on it is being kept. */
    NOT_YET,
    /** It never will. */
    NEVER
  }

  /** Whether this one may. */
  public Readiness readiness(UUID disk) {
    return database
        .read(tx -> DiskStore.find(tx, disk))
        .map(found ->
            switch (found.state()) {
              case MAKING -> Readiness.NOT_YET;
              case READY -> found.backingUp() ? Readiness.NOT_YET : Readiness.READY;
              case FAILED -> Readiness.NEVER;
            })
        .orElse(Readiness.NEVER);
  }

  /**
   * The lease that had it as its home folder is no more: what is on it is kept.
   *
   * @param used false: it never was anybody's home folder
   */
  public void released(Tx tx, UUID disk, UUID lease, boolean used, boolean cancelled) {
    Instant now = clock.instant();
    if (!used) {
      return;
    }
    DiskStore.lastUsed(tx, disk, now);
    Snapshot.Kind kind = cancelled ? Snapshot.Kind.CANCELLATION : Snapshot.Kind.SHUTDOWN;
    // Its id is the lease's: told twice, it is made once.
    DiskStore.addSnapshot(tx, lease, disk, kind, Optional.of(lease), now);
    dueNow(tx, disk);
  }

  // --- helpers ---

  private void dueNow(Tx tx, UUID disk) {
    WorkStore.due(tx, KIND, disk, clock.instant());
    tx.afterCommit(() -> wake.accept(KIND, disk));
  }

  private void done(Tx tx, Disk disk, Operation.Kind kind, Instant now) {
    DiskStore.asked(
        tx, disk.id(), new Operation(ids.next(), kind, Operation.Status.COMPLETED, "", now, now));
  }

  private static Disk locked(Tx tx, Caller caller, String name) {
    DiskStore.lock(tx, visible(tx, caller, name).id());
    return visible(tx, caller, name);
  }

  private static Disk usable(Tx tx, Caller caller, String name) {
    Disk disk = locked(tx, caller, name);
    if (disk.isDeleted()) {
      throw new Refused(new Refusal.WrongState(Kind.DISK, name, "deleted", "kept"));
    }
    if (disk.state() == Disk.State.FAILED) {
      throw new Refused(
          new Refusal.WrongState(Kind.DISK, name, "failed: " + disk.operation().error(), "ready"));
    }
    return disk;
  }

  private static void requireFree(Disk disk, String what) {
    disk.heldBy()
        .ifPresent(lease -> {
          throw new Refused(
              new Refusal.WrongState(
                  Kind.DISK, disk.name(), "in use by reservation " + lease, "free to " + what));
        });
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new Refused(
          Refusal.Invalid.field(
              "disk_name", "must have 1 to 128 letters, digits, hyphens and underscores"));
    }
  }

  private static Refused exists(String name) {
    return new Refused(new Refusal.Exists(Kind.DISK, "Disk '" + name + "' already exists"));
  }

  private static Disk visible(Tx tx, Caller caller, String name) {
    return DiskStore.find(tx, caller.project(), name)
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.DISK, name)));
  }
}
