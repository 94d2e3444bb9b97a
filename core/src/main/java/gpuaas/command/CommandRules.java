package gpuaas.command;

import java.time.Duration;

/**
 * The limits of commands; each is a setting.
 *
 * @param lookEvery how often a command that writes is looked at
 * @param lookLeast how often one that is quiet is looked at, at least
 * @param outputBytesMost what is kept of its output, from the beginning
 * @param partBytesMost what is fetched at once
 * @param callLimit how long one look may take
 * @param drainLimit how long the end of its environment may wait for its last output
 * @param keptFor how long output is kept after the end of its lease
 */
public record CommandRules(
    Duration lookEvery,
    Duration lookLeast,
    long outputBytesMost,
    int partBytesMost,
    Duration callLimit,
    Duration drainLimit,
    Duration keptFor) {

  /** What holds when nothing is set. */
  public static CommandRules standard() {
    return new CommandRules(
        Duration.ofMillis(500),
        Duration.ofSeconds(5),
        16L << 20,
        1 << 20,
        Duration.ofSeconds(20),
        Duration.ofSeconds(5),
        Duration.ofDays(30));
  }
}
