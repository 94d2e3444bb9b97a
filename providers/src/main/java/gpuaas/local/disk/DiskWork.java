package gpuaas.local.disk;

import gpuaas.local.disk.DiskShelf.Kind;
import gpuaas.local.disk.DiskShelf.VolumeMaker;
import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.disk.DiskRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.function.Consumer;

/**
 * What is done to disks and snapshots. Each piece of work may be done again after it was cut short;
 * that nobody else works on the same disk or snapshot meanwhile is the caller's care.
 */
record DiskWork(Pool pool, InstantSource clock, Consumer<DiskStep> steps) {

  private static final long PROMISED_BYTES_MOST = 1L << 50;

  /** With less than this, a pool counts as full; what is in it needs some room of its own. */
  private static final long RESERVE_BYTES = 64L << 20;

  void create(DiskRequest request) throws IOException {
    String id = request.id();
    String origin = request.snapshot().orElse("");
    if (pool.shelf().has(Kind.DISK, id)) {
      DiskNote made = note(Kind.DISK, id);
      if (made.askedBytes() != request.sizeBytes() || !made.origin().equals(origin)) {
        throw new Rejected("there is a disk " + id + " already, and it was asked for otherwise");
      }
      return;
    }
    requireRoom(request.sizeBytes());
    if (origin.isEmpty()) {
      make(Kind.DISK, id, "", request.sizeBytes(), true, pool.shelf()::makeEmpty);
    } else {
      createFrom(origin, request);
    }
  }

  private void createFrom(String snapshot, DiskRequest request) throws IOException {
    require(Kind.SNAPSHOT, snapshot);
    Path from = pool.shelf().volume(Kind.SNAPSHOT, snapshot);
    long used = pool.volumes().usageNow(from).bytes();
    if (used > request.sizeBytes()) {
      throw new Rejected(
          "what is in snapshot " + snapshot + " has " + used + " bytes, more than the disk");
    }
    boolean fresh = note(Kind.SNAPSHOT, snapshot).fresh();
    VolumeMaker copy = to -> pool.volumes().copy(from, to, false);
    make(Kind.DISK, request.id(), snapshot, request.sizeBytes(), fresh, copy);
  }

  void resize(String disk, long sizeBytes) throws IOException {
    require(Kind.DISK, disk);
    DiskNote note = note(Kind.DISK, disk);
    Path volume = pool.shelf().volume(Kind.DISK, disk);
    if (sizeBytes < note.sizeBytes()) {
      long used = pool.volumes().usageNow(volume).bytes();
      if (used > sizeBytes) {
        throw new Rejected("on disk " + disk + " are " + used + " bytes, more than that");
      }
    } else if (sizeBytes > note.sizeBytes()) {
      requireRoom(sizeBytes);
    }
    pool.volumes().limit(volume, sizeBytes);
    steps.accept(DiskStep.LIMIT);
    note.withSize(sizeBytes).write(pool.shelf().place(Kind.DISK, disk));
  }

  void snapshot(String disk, String snapshot) throws IOException {
    if (pool.shelf().has(Kind.SNAPSHOT, snapshot)) {
      if (!note(Kind.SNAPSHOT, snapshot).origin().equals(disk)) {
        throw new Rejected("snapshot " + snapshot + " is one of another disk");
      }
      return;
    }
    require(Kind.DISK, disk);
    requireRoom(0);
    DiskNote note = note(Kind.DISK, disk);
    Path from = pool.shelf().volume(Kind.DISK, disk);
    VolumeMaker copy = to -> pool.volumes().copy(from, to, true);
    make(Kind.SNAPSHOT, snapshot, disk, note.sizeBytes(), note.fresh(), copy);
  }

  private void make(
      Kind kind, String id, String origin, long bytes, boolean fresh, VolumeMaker maker)
      throws IOException {
    String now = clock.instant().toString();
    pool.shelf().make(kind, id, new DiskNote(bytes, bytes, origin, fresh, now), maker);
  }

  void remove(Kind kind, String id) throws IOException {
    pool.shelf().remove(kind, id);
    if (pool.volumes() instanceof BtrfsVolumes btrfs) {
      btrfs.forgetOldGroups();
    }
  }

  /** The volume of a disk; with what an image has in a home, if nobody ever had the disk. */
  Path home(String disk, Path imageHome) throws IOException {
    Path volume = pool.shelf().volume(Kind.DISK, disk);
    DiskNote note = note(Kind.DISK, disk);
    if (note.fresh()) {
      if (Files.isDirectory(imageHome, LinkOption.NOFOLLOW_LINKS)) {
        TreeCopy.missing(imageHome, volume);
      }
      steps.accept(DiskStep.HOME_COPIED);
      note.used().write(pool.shelf().place(Kind.DISK, disk));
      steps.accept(DiskStep.HOME_NOTED);
    }
    return volume;
  }

  void require(Kind kind, String id) {
    if (!pool.shelf().has(kind, id)) {
      throw new Rejected("there is no " + kind.word() + " " + id);
    }
  }

  /** Sizes are promises, for what is not written takes no room; up to where nobody means them. */
  private void requireRoom(long bytes) throws IOException {
    if (bytes > PROMISED_BYTES_MOST) {
      throw new NoCapacity("a disk of " + bytes + " bytes cannot be had anywhere");
    }
    if (pool.freeBytes() < RESERVE_BYTES) {
      throw new NoCapacity("the pool of disks is full");
    }
  }

  private DiskNote note(Kind kind, String id) throws IOException {
    return DiskNote.read(pool.shelf().place(kind, id));
  }
}
