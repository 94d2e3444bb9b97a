package gpuaas.lease;

import gpuaas.queue.QueueRules;
import java.time.Duration;

/**
 * The intervals that a lease's life goes by; each is a setting.
 *
 * @param settle how long after asking an unheard-of instance may still turn up; longer than any
 *     call to a provider may take
 * @param bootLimit how long an instance may take to answer
 * @param meterEvery how often running time is written down
 * @param watchEvery how often a running instance is looked at
 * @param stopLimit how long stopping may take before it is shown as stuck; it goes on after that
 * @param triesMost how often a lease may be declined
 * @param spotGrace how long a spot lease goes on after it was told that it is taken back
 * @param endWarnBefore how long before its end time a user is told; a tenth of the term if that is
 *     shorter
 * @param idleWarnBefore how long before it is stopped as idle a user is told; half of what it may
 *     be idle if that is shorter
 * @param queue what those who wait go by
 */
public record LeaseRules(
    Duration settle,
    Duration bootLimit,
    Duration meterEvery,
    Duration watchEvery,
    Duration stopLimit,
    int triesMost,
    Duration spotGrace,
    Duration endWarnBefore,
    Duration idleWarnBefore,
    QueueRules queue) {

  /** With a queue as usual. */
  public LeaseRules(
      Duration settle,
      Duration bootLimit,
      Duration meterEvery,
      Duration watchEvery,
      Duration stopLimit,
      int triesMost,
      Duration spotGrace,
      Duration endWarnBefore,
      Duration idleWarnBefore) {
    this(
        settle,
        bootLimit,
        meterEvery,
        watchEvery,
        stopLimit,
        triesMost,
        spotGrace,
        endWarnBefore,
        idleWarnBefore,
        QueueRules.standard());
  }

  /** What holds when nothing is set. */
  public static LeaseRules standard() {
    return new LeaseRules(
        Duration.ofSeconds(90),
        Duration.ofMinutes(10),
        Duration.ofMinutes(1),
        Duration.ofSeconds(10),
        Duration.ofMinutes(10),
        20,
        Duration.ofSeconds(30),
        Duration.ofMinutes(10),
        Duration.ofMinutes(5));
  }
}
