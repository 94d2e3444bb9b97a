package gpuaas.archive;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The limits of what is kept; each is a setting.
 *
 * @param folder where they lie; several servers share one
 * @param bytesMost the largest archive, compressed
 * @param freeBytesLeast what stays free on the disk of the control plane
 * @param saveLimit how long a machine may wait for its files to be taken, counted from its end
 * @param restoreLimit how long a machine may take to get them back, on top of its time to boot
 * @param keptFor how long they are kept
 * @param keptMost of one name, so many, the newest
 */
public record ArchiveRules(
    Path folder,
    long bytesMost,
    long freeBytesLeast,
    Duration saveLimit,
    Duration restoreLimit,
    Duration keptFor,
    int keptMost) {

  /** What holds when nothing is set. */
  public static ArchiveRules standard(Path folder) {
    return new ArchiveRules(
        folder,
        20L << 30,
        2L << 30,
        Duration.ofMinutes(30),
        Duration.ofMinutes(30),
        Duration.ofDays(30),
        3);
  }
}
