package gpuaas.http;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * So many calls a minute for each key, by a bucket that refills steadily. Kept in memory, per
 * server.
 */
public final class RateLimits {

  private static final int KEYS_MOST = 100_000;
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final int perMinute;
  private final Map<String, Bucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
          return size() > KEYS_MOST;
        }
      };

  public RateLimits(int perMinute) {
    this.perMinute = perMinute;
  }

  /** Takes one; refuses with the time until there is another. */
  public void take(String key) {
    ConsumptionProbe probe = bucket(key).tryConsumeAndReturnRemaining(1);
    if (!probe.isConsumed()) {
      throw new Refused(
          new Refusal.RateLimited(perMinute, Duration.ofNanos(probe.getNanosToWaitForRefill())));
    }
  }

  private synchronized Bucket bucket(String key) {
    return buckets.computeIfAbsent(
        key,
        _ ->
            Bucket.builder()
                .addLimit(limit -> limit.capacity(perMinute).refillGreedy(perMinute, WINDOW))
                .build());
  }
}
