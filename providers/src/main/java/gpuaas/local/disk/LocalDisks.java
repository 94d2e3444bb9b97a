package gpuaas.local.disk;

import gpuaas.local.KeyedLocks;
import gpuaas.local.disk.DiskShelf.Kind;
import gpuaas.local.disk.DiskShelf.VolumeMaker;
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
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** With less than this, a pool counts as full; what is in it needs some room of its own. */
  private static final long RESERVE_BYTES = 64L << 20;

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
  private interface Work<T> {
    T on(Pool pool) throws IOException;
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
    String id = request.id();
    String origin = request.snapshot().orElse("");
    alone(
        Kind.DISK,
        id,
        pool -> {
          if (pool.shelf().has(Kind.DISK, id)) {
            DiskNote made = note(pool, Kind.DISK, id);
            if (made.askedBytes() != request.sizeBytes() || !made.origin().equals(origin)) {
              throw new Rejected(
                  "there is a disk " + id + " already, and it was asked for otherwise");
            }
            return null;
          }
          requireRoom(pool, request.sizeBytes());
          if (origin.isEmpty()) {
            make(pool, Kind.DISK, id, "", request.sizeBytes(), true, pool.shelf()::makeEmpty);
          } else {
            makeFrom(pool, request, origin);
          }
          return null;
        });
  }

  private void makeFrom(Pool pool, DiskRequest request, String snapshot) {
    alone(
        Kind.SNAPSHOT,
        snapshot,
        _ -> {
          require(pool, Kind.SNAPSHOT, snapshot);
          Path from = pool.shelf().volume(Kind.SNAPSHOT, snapshot);
          long used = pool.volumes().usageNow(from).bytes();
          if (used > request.sizeBytes()) {
            throw new Rejected(
                "what is in snapshot " + snapshot + " has " + used + " bytes, more than the disk");
          }
          boolean fresh = note(pool, Kind.SNAPSHOT, snapshot).fresh();
          VolumeMaker copy = to -> pool.volumes().copy(from, to, false);
          make(pool, Kind.DISK, request.id(), snapshot, request.sizeBytes(), fresh, copy);
          return null;
        });
  }

  private void make(
      Pool pool, Kind kind, String id, String origin, long bytes, boolean fresh, VolumeMaker maker)
      throws IOException {
    String now = clock.instant().toString();
    pool.shelf().make(kind, id, new DiskNote(bytes, bytes, origin, fresh, now), maker);
  }

  @Override
  public void resize(String disk, long sizeBytes) {
    DiskRequest.requireSize(sizeBytes);
    alone(
        Kind.DISK,
        disk,
        pool -> {
          require(pool, Kind.DISK, disk);
          DiskNote note = note(pool, Kind.DISK, disk);
          Path volume = pool.shelf().volume(Kind.DISK, disk);
          if (sizeBytes < note.sizeBytes()) {
            long used = pool.volumes().usageNow(volume).bytes();
            if (used > sizeBytes) {
              throw new Rejected("on disk " + disk + " are " + used + " bytes, more than that");
            }
          } else if (sizeBytes > note.sizeBytes()) {
            requireRoom(pool, sizeBytes);
          }
          pool.volumes().limit(volume, sizeBytes);
          steps.accept(DiskStep.LIMIT);
          note.withSize(sizeBytes).write(pool.shelf().place(Kind.DISK, disk));
          return null;
        });
  }

  @Override
  public void delete(String disk) {
    alone(
        Kind.DISK,
        disk,
        pool -> {
          requireFree(disk, "");
          pool.shelf().remove(Kind.DISK, disk);
          forgetOldGroups(pool);
          return null;
        });
  }

  @Override
  public void snapshot(String disk, String snapshot) {
    DiskRequest.requireId(snapshot);
    alone(
        Kind.DISK,
        disk,
        pool -> {
          alone(
              Kind.SNAPSHOT,
              snapshot,
              _ -> {
                if (pool.shelf().has(Kind.SNAPSHOT, snapshot)) {
                  if (!note(pool, Kind.SNAPSHOT, snapshot).origin().equals(disk)) {
                    throw new Rejected("snapshot " + snapshot + " is one of another disk");
                  }
                  return null;
                }
                require(pool, Kind.DISK, disk);
                requireRoom(pool, 0);
                DiskNote note = note(pool, Kind.DISK, disk);
                Path from = pool.shelf().volume(Kind.DISK, disk);
                VolumeMaker copy = to -> pool.volumes().copy(from, to, true);
                make(pool, Kind.SNAPSHOT, snapshot, disk, note.sizeBytes(), note.fresh(), copy);
                return null;
              });
          return null;
        });
  }

  @Override
  public void deleteSnapshot(String snapshot) {
    alone(
        Kind.SNAPSHOT,
        snapshot,
        pool -> {
          pool.shelf().remove(Kind.SNAPSHOT, snapshot);
          forgetOldGroups(pool);
          return null;
        });
  }

  private static void forgetOldGroups(Pool pool) throws IOException {
    if (pool.volumes() instanceof BtrfsVolumes btrfs) {
      btrfs.forgetOldGroups();
    }
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
          try {
            look.at(id, DiskNote.read(pool.shelf().place(kind, id)), of);
          } catch (NoSuchFileException goneMeanwhile) {
            continue;
          }
        }
      }
      return null;
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
    return work(pool -> {
      require(pool, kind, id);
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
    return work(pool ->
        new Room(
            pool.totalBytes(),
            pool.freeBytes(),
            pool.promisedBytes(),
            pool.volumes().enforced(),
            pool.message()));
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
          require(pool, Kind.DISK, disk);
          requireFree(disk, environment);
          holdings.take(environment, disk);
          return null;
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
      Path volume = opened.shelf().volume(Kind.DISK, disk);
      DiskNote note = note(opened, Kind.DISK, disk);
      if (note.fresh()) {
        if (Files.isDirectory(imageHome, LinkOption.NOFOLLOW_LINKS)) {
          TreeCopy.missing(imageHome, volume);
        }
        steps.accept(DiskStep.HOME_COPIED);
        note.used().write(opened.shelf().place(Kind.DISK, disk));
        steps.accept(DiskStep.HOME_NOTED);
      }
      return volume;
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

  private void requireFree(String disk, String environment) {
    Optional<String> holder = holdings.holderOf(disk).filter(other -> !other.equals(environment));
    if (holder.isPresent()) {
      throw new Rejected("disk " + disk + " is attached to environment " + holder.get());
    }
  }

  private static void require(Pool pool, Kind kind, String id) {
    if (!pool.shelf().has(kind, id)) {
      throw new Rejected("there is no " + kind.word() + " " + id);
    }
  }

  private static void requireRoom(Pool pool, long bytes) throws IOException {
    if (bytes > pool.totalBytes()) {
      throw new NoCapacity(
          "a disk of " + bytes + " bytes is larger than the pool: " + pool.totalBytes());
    }
    if (pool.freeBytes() < RESERVE_BYTES) {
      throw new NoCapacity("the pool of disks is full");
    }
  }

  private static DiskNote note(Pool pool, Kind kind, String id) throws IOException {
    return DiskNote.read(pool.shelf().place(kind, id));
  }

  /** Does work on one disk or snapshot, while nobody else does. Disks come before snapshots. */
  private void alone(Kind kind, String id, Work<@Nullable Void> work) {
    DiskRequest.requireId(id);
    try (KeyedLocks.Held _ = locks.hold(kind.word() + " " + id)) {
      work(work);
    }
  }

  private <T extends @Nullable Object> T work(Work<T> work) {
    Pool opened;
    try {
      opened = pool();
    } catch (IOException failure) {
      throw new Unavailable("the pool of disks cannot be opened", failure);
    }
    try {
      return work.on(opened);
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
