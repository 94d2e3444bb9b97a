package gpuaas.disk;

import java.time.Duration;
import java.util.List;

/**
 * The limits of disks; each is a setting.
 *
 * @param disksMost of one project, those that are given up included
 * @param bytesMost the sizes of a project's disks together
 * @param sizeBytes of a disk of which nothing was said
 * @param snapshotsMost of one disk, the newest
 * @param keptFor how long one that was given up can be had back
 * @param retryAfter when a provider that could not be asked is asked again
 * @param lookEvery how often it is looked how full disks are that are in use
 * @param warnPercents who uses a disk is told when so much of it is used
 * @param poolFullPercent no disk is made where so much of the room for all is used
 */
public record DiskRules(
    int disksMost,
    long bytesMost,
    long sizeBytes,
    int snapshotsMost,
    Duration keptFor,
    Duration retryAfter,
    Duration lookEvery,
    List<Integer> warnPercents,
    int poolFullPercent) {

  public DiskRules {
    warnPercents = List.copyOf(warnPercents);
  }

  /** What holds when nothing is set. */
  public static DiskRules standard() {
    return new DiskRules(
        50,
        20_000L << 30,
        100L << 30,
        10,
        Duration.ofDays(30),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        List.of(80, 90, 95),
        90);
  }
}
