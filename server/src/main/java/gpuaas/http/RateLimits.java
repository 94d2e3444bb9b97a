package gpuaas.http;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.EstimationProbe;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * So many calls in a time for each key, by a bucket that refills steadily. Kept in memory, per
 * server.
 */
public final class RateLimits {

  private static final int KEYS_MOST = 100_000;

  private final int most;
  private final int refilled;
  private final Duration window;
  private final Map<String, Bucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
          return size() > KEYS_MOST;
        }
      };

  private RateLimits(int most, int refilled, Duration window) {
    this.most = most;
    this.refilled = refilled;
    this.window = window;
  }

  /** So many a minute, all of them at once if need be. */
  public static RateLimits perMinute(int most) {
    return new RateLimits(most, most, Duration.ofMinutes(1));
  }

  /** So many a second for long, and this many at once after a pause. */
  public static RateLimits perSecond(int sustained, int burst) {
    return new RateLimits(burst, sustained, Duration.ofSeconds(1));
  }

  /** Takes one; refuses with the time until there is another. */
  public void take(String key) {
    ConsumptionProbe probe = bucket(key).tryConsumeAndReturnRemaining(1);
    if (!probe.isConsumed()) {
      throw new Refused(
          new Refusal.RateLimited(most, Duration.ofNanos(probe.getNanosToWaitForRefill())));
    }
  }

  /** Refuses, with the time until there is another, if there is none; takes nothing. */
  public void refuseIfEmpty(String key) {
    Bucket known = known(key);
    if (known == null) {
      return;
    }
    EstimationProbe probe = known.estimateAbilityToConsume(1);
    if (!probe.canBeConsumed()) {
      throw new Refused(
          new Refusal.RateLimited(most, Duration.ofNanos(probe.getNanosToWaitForRefill())));
    }
  }

  /** Takes one if there is one. */
  public void count(String key) {
    var _ = bucket(key).tryConsume(1);
  }

  private synchronized @Nullable Bucket known(String key) {
    return buckets.get(key);
  }

  private synchronized Bucket bucket(String key) {
    return buckets.computeIfAbsent(
        key,
        _ ->
            Bucket.builder()
                .addLimit(limit -> limit.capacity(most).refillGreedy(refilled, window))
                .build());
  }
}
