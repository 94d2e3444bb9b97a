package gpuaas.local.disk;

import gpuaas.local.KeyedLocks;
import gpuaas.local.disk.DiskShelf.Kind;
import gpuaas.local.disk.Volumes.Usage;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.OutcomeUnknown;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.ProviderException.Unavailable;
import gpuaas.spi.disk.DiskRequest;
import gpuaas.spi.disk.Disks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disks of this machine. The pool is opened when it is needed for the first time, or at once
 * when there is one; it stays mounted as long as an environment uses it, whoever opened it.
 */
public final class LocalDisks implements Disks, AutoCloseable {

  /** As the kernel says that there is no room. */
  static final String FULL = "No space left on device";

  private static final Logger LOG = LoggerFactory.getLogger(LocalDisks.class);

  private final String provider;
  private final InstantSource clock;
  private final PoolPlace place;
  private final Consumer<DiskStep> steps;
  private final DiskHoldings holdings = new DiskHoldings();
  private final KeyedLocks locks = new KeyedLocks();
  private @Nullable Pool pool;

  /** Prepares them; see {@link #openIfThere}. */
  public LocalDisks(
      String provider, InstantSource clock, PoolPlace place, Consumer<DiskStep> steps) {
    this.provider = provider;
    this.clock = clock;
    this.place = place;
    this.steps = steps;
  }

  /** Work on an open pool. */
  @FunctionalInterface
  private interface Work {
    void on(Pool pool) throws IOException;
  }

  /** A question about an open pool. */
  @FunctionalInterface
  private interface Question<T> {
    T of(Pool pool) throws IOException;
  }

  /** Opens the pool if there is one. What is wrong with it does not keep the provider from work. */
  public void openIfThere() {
    if (place.isThere()) {
      try {
        pool();
      } catch (IOException | RuntimeException failure) {
        LOG.warn("{}: there are disks, and they cannot be used", provider, failure);
      }
    }
  }

  private synchronized Pool pool() throws IOException {
    if (pool == null) {
      pool = Pool.open(place, steps);
      LOG.info(
          "{}: disks in a pool of {} bytes; held to their sizes: {}",
          provider,
          pool.totalBytes(),
          pool.volumes().enforced());
    }
    return pool;
  }

  @Override
  public void create(DiskRequest request) {
    alone(
        Kind.DISK,
        request.id(),
        pool -> {
          if (request.snapshot().isPresent()) {
            String snapshot = request.snapshot().get();
            alone(Kind.SNAPSHOT, snapshot, _ -> workOn(pool).create(request));
          } else {
            workOn(pool).create(request);
          }
        });
  }

  @Override
  public void resize(String disk, long sizeBytes) {
    DiskRequest.requireSize(sizeBytes);
    alone(Kind.DISK, disk, pool -> workOn(pool).resize(disk, sizeBytes));
  }

  @Override
  public void delete(String disk) {
    alone(
        Kind.DISK,
        disk,
        pool -> {
          refuseIf(disk, holdings.holderOf(disk));
          workOn(pool).remove(Kind.DISK, disk);
        });
  }

  @Override
  public void snapshot(String disk, String snapshot) {
    DiskRequest.requireId(snapshot);
    alone(
        Kind.DISK,
        disk,
        pool -> alone(Kind.SNAPSHOT, snapshot, _ -> workOn(pool).snapshot(disk, snapshot)));
  }

  @Override
  public void deleteSnapshot(String snapshot) {
    alone(Kind.SNAPSHOT, snapshot, pool -> workOn(pool).remove(Kind.SNAPSHOT, snapshot));
  }

  @Override
  public List<Disk> list() {
    List<Disk> disks = new ArrayList<>();
    look(
        Kind.DISK,
        (id, note, usage) -> {
          Optional<InstanceRef> holder =
              holdings.holderOf(id).map(environment -> new InstanceRef(provider, environment));
          disks.add(
              new Disk(
                  id,
                  note.sizeBytes(),
                  usage.bytes(),
                  usage.exclusiveBytes(),
                  Instant.parse(note.madeAt()),
                  holder));
        });
    return disks;
  }

  @Override
  public List<Snapshot> snapshots() {
    List<Snapshot> snapshots = new ArrayList<>();
    look(
        Kind.SNAPSHOT,
        (id, note, usage) ->
            snapshots.add(
                new Snapshot(
                    id,
                    note.origin(),
                    note.sizeBytes(),
                    usage.bytes(),
                    usage.exclusiveBytes(),
                    Instant.parse(note.madeAt()))));
    return snapshots;
  }

  private interface Look {
    void at(String id, DiskNote note, Usage usage);
  }

  private void look(Kind kind, Look look) {
    if (!place.isThere()) {
      return;
    }
    work(pool -> {
      List<String> ids = pool.shelf().ids(kind);
      List<Path> volumes = ids.stream().map(id -> pool.shelf().volume(kind, id)).toList();
      Map<Path, Usage> usage = pool.volumes().usage(volumes);
      for (String id : ids) {
        Usage of = usage.get(pool.shelf().volume(kind, id));
        if (of != null) {
          DiskNote.find(pool.shelf().place(kind, id)).ifPresent(note -> look.at(id, note, of));
        }
      }
    });
  }

  @Override
  public Map<String, Long> usedBytes(Set<String> disks) {
    disks.forEach(DiskRequest::requireId);
    if (disks.isEmpty() || !place.isThere()) {
      return Map.of();
    }
    return ask(pool -> {
      if (!pool.volumes().counts()) {
        return Map.of();
      }
      Map<Path, String> ids = new HashMap<>();
      disks.forEach(id -> ids.put(pool.shelf().volume(Kind.DISK, id), id));
      Map<String, Long> used = new HashMap<>();
      pool.volumes()
          .usage(List.copyOf(ids.keySet()))
          .forEach((volume, usage) ->
              Optional.ofNullable(ids.get(volume)).ifPresent(id -> used.put(id, usage.bytes())));
      return used;
    });
  }

  @Override
  public String content(String disk) {
    return content(Kind.DISK, disk);
  }

  @Override
  public String snapshotContent(String snapshot) {
    return content(Kind.SNAPSHOT, snapshot);
  }

  private String content(Kind kind, String id) {
    DiskRequest.requireId(id);
    return ask(pool -> {
      workOn(pool).require(kind, id);
      Path volume = pool.shelf().volume(kind, id);
      return DiskContent.of(volume, pool.volumes().usageNow(volume).bytes());
    });
  }

  @Override
  public Room room() {
    try {
      if (!place.isThere()) {
        Optional<String> why = Pool.whyFolders(place);
        long free = Files.getFileStore(place.dataFolder()).getUsableSpace();
        long total = why.isPresent() ? free : place.bytes();
        boolean enforced = why.isEmpty() && place.confined();
        return new Room(total, Math.min(total, free), 0, enforced, why.orElse(""));
      }
    } catch (IOException failure) {
      throw new Unavailable("the room for disks cannot be told", failure);
    }
    return ask(pool ->
        new Room(
            pool.totalBytes(),
            pool.freeBytes(),
            pool.promisedBytes(),
            pool.volumes().enforced(),
            pool.warning()));
  }

  /** Notes what the folder of an environment says that it has. */
  public void adopt(String environment, String disk) {
    holdings.adopt(environment, disk);
  }

  /**
   * Gives a disk to an environment that is about to be made.
   *
   * @throws Rejected when there is no such disk, or another environment has it
   */
  public void take(String environment, String disk) {
    alone(
        Kind.DISK,
        disk,
        pool -> {
          workOn(pool).require(Kind.DISK, disk);
          refuseIf(disk, holdings.take(environment, disk));
        });
  }

  /**
   * The folder to show as the home of whoever has the disk. What the image has in a home is put on
   * it first, if nobody ever had it.
   *
   * @param imageHome may be absent
   */
  public Path home(String disk, Path imageHome) throws IOException {
    Pool opened = pool();
    try (KeyedLocks.Held _ = locks.hold(Kind.DISK.word() + " " + disk)) {
      return workOn(opened).home(disk, imageHome);
    }
  }

  /** Takes back what an environment has. */
  public void release(String environment) {
    holdings.release(environment);
  }

  /** Leaves the pool; it stays mounted if an environment uses it. */
  @Override
  public synchronized void close() {
    if (pool != null && holdings.isIdle()) {
      try {
        pool.leave();
      } catch (IOException busy) {
        LOG.warn("{}: the pool of disks stays mounted", provider, busy);
      }
    }
    pool = null;
  }

  private static void refuseIf(String disk, Optional<String> holder) {
    if (holder.isPresent()) {
      throw new Rejected("disk " + disk + " is attached to environment " + holder.get());
    }
  }

  private DiskWork workOn(Pool opened) {
    return new DiskWork(opened, clock, steps);
  }

  /** Does work on one disk or snapshot, while nobody else does. Disks come before snapshots. */
  private void alone(Kind kind, String id, Work work) {
    DiskRequest.requireId(id);
    try (KeyedLocks.Held _ = locks.hold(kind.word() + " " + id)) {
      work(work);
    }
  }

  private void work(Work work) {
    ask(pool -> {
      work.on(pool);
      return true;
    });
  }

  private <T> T ask(Question<T> question) {
    Pool opened;
    try {
      opened = pool();
    } catch (IOException failure) {
      throw new Unavailable("the pool of disks cannot be opened", failure);
    }
    try {
      return question.of(opened);
    } catch (IOException failure) {
      throw meaning(failure);
    }
  }

  private static ProviderException meaning(IOException failure) {
    String words = String.valueOf(failure.getMessage());
    return words.contains(FULL)
        ? new NoCapacity("the pool of disks is full: " + words)
        : new OutcomeUnknown("the work on a disk did not end", failure);
  }
}
