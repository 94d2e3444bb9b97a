package gpuaas.spi.disk;

import gpuaas.spi.InstanceRef;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The disks and snapshots at a provider. All calls block, and may come from many threads at once.
 *
 * <p>Each may be repeated after any failure, and ends as if it had been made once; none of them
 * leaves something half made that can be seen. Every method may throw any {@link
 * gpuaas.spi.ProviderException}; {@code Rejected} for an id that cannot be one.
 */
public interface Disks {

  /**
   * Makes a disk. One that this same request has made before is success, whatever its size is now.
   *
   * @throws gpuaas.spi.ProviderException.NoCapacity when there is no room for it
   * @throws gpuaas.spi.ProviderException.Rejected when another request has made a disk of this id,
   *     there is no such snapshot, or what is in the snapshot does not fit
   */
  void create(DiskRequest request);

  /**
   * Changes how much may be kept on a disk, also while it is attached.
   *
   * @throws gpuaas.spi.ProviderException.Rejected when there is no such disk, or more is on it
   */
  void resize(String disk, long sizeBytes);

  /**
   * Deletes a disk; its snapshots stay. Already gone is success.
   *
   * @throws gpuaas.spi.ProviderException.Rejected when it is attached
   */
  void delete(String disk);

  /**
   * Keeps what is on a disk at this moment, also while it is attached. A snapshot of this id that
   * was made of this disk before is success, and stays as it is.
   *
   * @throws gpuaas.spi.ProviderException.Rejected when there is no such disk, or the id is that of
   *     a snapshot of another disk
   */
  void snapshot(String disk, String snapshot);

  /** Deletes a snapshot; disks that began from it stay. Already gone is success. */
  void deleteSnapshot(String snapshot);

  /** All disks, in the order of their ids. */
  List<Disk> list();

  /** All snapshots, in the order of their ids. */
  List<Snapshot> snapshots();

  /**
   * What is on a disk, for people: a line with what it uses and, after a tab, {@code /home/dev}; a
   * line {@code ---}; then a tree of depth three. At most 1000 lines; never what links lead to.
   *
   * @throws gpuaas.spi.ProviderException.Rejected when there is no such disk
   */
  String content(String disk);

  /**
   * What is in a snapshot, as {@link #content}.
   *
   * @throws gpuaas.spi.ProviderException.Rejected when there is no such snapshot
   */
  String snapshotContent(String snapshot);

  /**
   * What is kept on these disks, as far as that is known without reading what is on them; may be
   * half a minute old. Those of which it is not known, or that are gone, are left out.
   */
  Map<String, Long> usedBytes(Set<String> disks);

  /** How much room there is. */
  Room room();

  /**
   * A disk.
   *
   * @param sizeBytes what may be kept on it
   * @param usedBytes what is kept on it; may be half a minute old
   * @param exclusiveBytes what deleting it would give back; empty: not known
   * @param attachedTo the instance whose home folder it is
   */
  record Disk(
      String id,
      long sizeBytes,
      long usedBytes,
      OptionalLong exclusiveBytes,
      Instant madeAt,
      Optional<InstanceRef> attachedTo) {}

  /**
   * A snapshot.
   *
   * @param disk the disk that it was made of; it may be gone
   * @param sizeBytes what could be kept on that disk then
   * @param usedBytes what is in it
   * @param exclusiveBytes what deleting it would give back; empty: not known
   */
  record Snapshot(
      String id,
      String disk,
      long sizeBytes,
      long usedBytes,
      OptionalLong exclusiveBytes,
      Instant madeAt) {}

  /**
   * Room for disks and snapshots together.
   *
   * @param totalBytes of the pool
   * @param freeBytes what can still be written
   * @param promisedBytes the sizes of all disks together; may be more than there is
   * @param enforced whether a disk is really held to its size
   * @param message what an operator should know; empty: nothing
   */
  record Room(
      long totalBytes, long freeBytes, long promisedBytes, boolean enforced, String message) {

    private static final int PERCENT = 100;

    /** How much of the pool can not be written any more. */
    public int usedPercent() {
      return totalBytes <= 0 ? PERCENT : (int) (PERCENT - freeBytes * PERCENT / totalBytes);
    }
  }
}
