package gpuaas.disk;

import java.time.Duration;

/**
 * The limits of disks; each is a setting.
 *
 * @param disksMost of one project, those that are given up included
 * @param bytesMost the sizes of a project's disks together
 * @param sizeBytes of a disk of which nothing was said
 * @param snapshotsMost of one disk, the newest
 * @param keptFor how long one that was given up can be had back
 * @param retryAfter when a provider that could not be asked is asked again
 */
public record DiskRules(
    int disksMost,
    long bytesMost,
    long sizeBytes,
    int snapshotsMost,
    Duration keptFor,
    Duration retryAfter) {

  /** What holds when nothing is set. */
  public static DiskRules standard() {
    return new DiskRules(
        50, 20_000L << 30, 100L << 30, 10, Duration.ofDays(30), Duration.ofSeconds(5));
  }
}
