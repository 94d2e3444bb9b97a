package gpuaas.queue;

import java.time.Duration;

/**
 * What the queue goes by; each is a setting.
 *
 * @param gangWait how long a member of a gang waits for the others to be asked for
 * @param gangMost how many members a gang may have
 * @param gangPort where the first member of a gang waits for the others, as its environment says
 * @param backfillMargin how long starting and ending may take beside the term of a lease, when that
 *     is to be over before somebody else begins
 * @param backfillMost how many of those behind somebody who waits are looked at in one go
 */
public record QueueRules(
    Duration gangWait, int gangMost, int gangPort, Duration backfillMargin, int backfillMost) {

  /** What holds when nothing is set. */
  public static QueueRules standard() {
    return new QueueRules(Duration.ofMinutes(10), 64, 29_500, Duration.ofMinutes(10), 500);
  }
}
