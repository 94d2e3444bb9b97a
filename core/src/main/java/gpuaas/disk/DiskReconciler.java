package gpuaas.disk;

import gpuaas.db.Database;
import gpuaas.disk.Disk.Operation;
import gpuaas.disk.Disk.Snapshot;
import gpuaas.provider.Providers;
import gpuaas.spi.ProviderException;
import gpuaas.spi.disk.DiskRequest;
import gpuaas.spi.disk.HasDisks;
import gpuaas.work.Next;
import gpuaas.work.Reconciler;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the provider of a disk do what is to be done with it: make it, keep what is on it, forget old
 * snapshots, and after its time the disk. Each call may be made again, so a step that was cut short
 * is simply taken again.
 */
public final class DiskReconciler implements Reconciler {

  private static final Logger log = LoggerFactory.getLogger(DiskReconciler.class);
  private static final int CONTENT_LENGTH_MOST = 256 * 1024;
  private static final int PROBLEM_LENGTH_MOST = 500;

  private final Database database;
  private final Providers providers;
  private final InstantSource clock;
  private final DiskRules rules;

  public DiskReconciler(
      Database database, Providers providers, InstantSource clock, DiskRules rules) {
    this.database = database;
    this.providers = providers;
    this.clock = clock;
    this.rules = rules;
  }

  @Override
  public String kind() {
    return Disks.KIND;
  }

  @Override
  public Next step(UUID id) {
    Optional<Disk> found = database.read(tx -> DiskStore.find(tx, id));
    if (found.isEmpty()) {
      return Next.done();
    }
    Disk disk = found.get();
    try {
      Optional<gpuaas.spi.disk.Disks> at = at(disk.provider());
      if (at.isEmpty()) {
        throw new ProviderException.Unavailable(disk.provider() + " keeps no disks now", null);
      }
      return step(disk, at.get());
    } catch (ProviderException.Rejected | ProviderException.NoCapacity no) {
      throw new IllegalStateException("disk " + id + " is left as it is", no);
    } catch (ProviderException later) {
      log.warn("disk {} is looked at again: {}", id, later.getMessage());
      return Next.after(rules.retryAfter());
    }
  }

  private Optional<gpuaas.spi.disk.Disks> at(String provider) {
    var _ = providers.get(provider); // it may be away from the settings
    return providers.ability(provider, HasDisks.class).flatMap(HasDisks::disks);
  }

  private Next step(Disk disk, gpuaas.spi.disk.Disks at) {
    if (disk.state() == Disk.State.MAKING) {
      make(disk, at);
      return Next.now();
    }
    List<Snapshot> all = database.read(tx -> DiskStore.snapshots(tx, disk.id()));
    for (Snapshot snapshot : all.reversed()) {
      if (snapshot.state() == Disk.State.MAKING) {
        keep(disk, snapshot, at);
        return Next.now();
      }
    }
    forgetOld(all, at);
    return disk.deleteAt().map(end -> end(disk, all, at, end)).orElseGet(Next::done);
  }

  private void make(Disk disk, gpuaas.spi.disk.Disks at) {
    String problem = "";
    try {
      at.create(
          new DiskRequest(
              disk.id().toString(), disk.sizeBytes(), disk.origin().map(UUID::toString)));
    } catch (ProviderException.Rejected | ProviderException.NoCapacity no) {
      problem = clipped(String.valueOf(no.getMessage()));
    }
    String error = problem;
    database.run(tx -> {
      DiskStore.state(tx, disk.id(), error.isEmpty() ? Disk.State.READY : Disk.State.FAILED);
      DiskStore.came(
          tx,
          disk.id(),
          List.of(Operation.Kind.CREATE, Operation.Kind.CLONE),
          error,
          clock.instant());
    });
  }

  private void keep(Disk disk, Snapshot snapshot, gpuaas.spi.disk.Disks at) {
    String id = snapshot.id().toString();
    String problem = "";
    String content = "";
    long used = 0;
    try {
      at.snapshot(disk.id().toString(), id);
      content = at.snapshotContent(id);
      used =
          at.snapshots().stream()
              .filter(made -> made.id().equals(id))
              .mapToLong(gpuaas.spi.disk.Disks.Snapshot::usedBytes)
              .findFirst()
              .orElse(0);
    } catch (ProviderException.Rejected | ProviderException.NoCapacity no) {
      problem = clipped(String.valueOf(no.getMessage()));
      log.warn("disk {} could not be kept: {}", disk.id(), problem);
    }
    written(disk, snapshot, problem, content, used);
  }

  private void written(
      Disk disk, Snapshot snapshot, String problem, String content, long usedBytes) {
    database.run(tx -> {
      if (problem.isEmpty()) {
        String listing = content.substring(0, Math.min(CONTENT_LENGTH_MOST, content.length()));
        DiskStore.snapshotMade(tx, snapshot.id(), usedBytes, listing.replace("\0", ""));
        DiskStore.used(tx, disk.id(), usedBytes);
      } else {
        DiskStore.snapshotFailed(tx, snapshot.id(), problem);
      }
      if (snapshot.kind() == Snapshot.Kind.ASKED) {
        DiskStore.came(tx, disk.id(), List.of(Operation.Kind.SNAPSHOT), problem, clock.instant());
      }
    });
  }

  /** Of each disk the newest stay, and none that failed is counted. */
  private void forgetOld(List<Snapshot> newestFirst, gpuaas.spi.disk.Disks at) {
    List<Snapshot> made =
        newestFirst.stream().filter(one -> one.state() == Disk.State.READY).toList();
    made.stream().skip(rules.snapshotsMost()).forEach(old -> forget(old, at));
  }

  private void forget(Snapshot snapshot, gpuaas.spi.disk.Disks at) {
    at.deleteSnapshot(snapshot.id().toString());
    database.run(tx -> DiskStore.forgetSnapshot(tx, snapshot.id()));
  }

  /** Its time is over, or will be. */
  private Next end(Disk disk, List<Snapshot> all, gpuaas.spi.disk.Disks at, Instant end) {
    Instant now = clock.instant();
    if (now.isBefore(end)) {
      return Next.after(Duration.between(now, end));
    }
    all.forEach(snapshot -> forget(snapshot, at));
    at.delete(disk.id().toString());
    database.run(tx -> DiskStore.forget(tx, disk.id()));
    return Next.done();
  }

  private static String clipped(String text) {
    return text.substring(0, Math.min(PROBLEM_LENGTH_MOST, text.length()));
  }
}
