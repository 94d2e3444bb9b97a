package gpuaas.gpudev;

import gpuaas.base.Caller;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Cancels of jobs that are not there yet: whoever gives up a submission that is still under way
 * names an id that nobody knows (contract 3.11). The job is cancelled as soon as it comes.
 *
 * <p>Kept in memory, by the server that was asked: a submission is under way for moments.
 */
final class EarlyCancels {

  private static final int KEPT_MOST = 10_000;

  private final Duration kept;
  private final Map<String, Instant> asked = new LinkedHashMap<>();

  EarlyCancels(Duration kept) {
    this.kept = kept;
  }

  /** Somebody cancels a job that nobody knows. */
  synchronized void remember(Caller caller, UUID job, Instant now) {
    String key = key(caller, job);
    asked.remove(key);
    asked.put(key, now);
    Iterator<Instant> oldest = asked.values().iterator();
    for (Instant at = oldest.next(); isOld(at, now) || asked.size() > KEPT_MOST; ) {
      oldest.remove();
      at = oldest.next();
    }
  }

  /** Whether this job was cancelled before it came; said once. */
  synchronized boolean take(Caller caller, UUID job, Instant now) {
    Instant at = asked.remove(key(caller, job));
    return at != null && !isOld(at, now);
  }

  private boolean isOld(Instant at, Instant now) {
    return at.plus(kept).isBefore(now);
  }

  private static String key(Caller caller, UUID job) {
    return caller.project() + " " + job;
  }
}
