package gpuaas.http;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TokensInheritanceStrategy;
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

  private final Rate usual;
  private final Map<String, Limited> limits =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Limited> eldest) {
          return size() > KEYS_MOST;
        }
      };

  private RateLimits(Rate usual) {
    this.usual = usual;
  }

  /**
   * How much somebody may.
   *
   * @param most at once, after a pause
   * @param refilled in each window
   */
  public record Rate(long most, long refilled, Duration window) {
    /** So many a minute, all of them at once if need be. */
    public static Rate perMinute(long most) {
      return new Rate(most, most, Duration.ofMinutes(1));
    }

    private BucketConfiguration configuration() {
      return BucketConfiguration.builder()
          .addLimit(limit -> limit.capacity(most).refillGreedy(refilled, window))
          .build();
    }
  }

  /**
   * What is left of a limit.
   *
   * @param limit calls that may come at once, after a pause
   * @param remaining calls that may come now
   * @param retryAfter until there is one again; zero: one was taken
   */
  public record Left(long limit, long remaining, Duration retryAfter) {
    /** True when there was none. */
    public boolean isRefused() {
      return retryAfter.isPositive();
    }
  }

  /** Of one key. */
  private static final class Limited {
    private final Bucket bucket;
    private Rate rate;

    Limited(Rate rate) {
      this.rate = rate;
      this.bucket =
          Bucket.builder()
              .addLimit(
                  limit -> limit.capacity(rate.most()).refillGreedy(rate.refilled(), rate.window()))
              .build();
    }

    /** What was left stays: nobody gains by a limit that goes up and down. */
    synchronized Bucket at(Rate wanted) {
      if (!rate.equals(wanted)) {
        bucket.replaceConfiguration(wanted.configuration(), TokensInheritanceStrategy.AS_IS);
        rate = wanted;
      }
      return bucket;
    }
  }

  /** So many a minute, all of them at once if need be. */
  public static RateLimits perMinute(int most) {
    return new RateLimits(Rate.perMinute(most));
  }

  /** So many a second for long, and this many at once after a pause. */
  public static RateLimits perSecond(int sustained, int burst) {
    return new RateLimits(new Rate(burst, sustained, Duration.ofSeconds(1)));
  }

  /** Takes one; refuses with the time until there is another. */
  public void take(String key) {
    Left left = tryTake(key, usual);
    if (left.isRefused()) {
      throw new Refused(new Refusal.RateLimited(left.limit(), left.retryAfter()));
    }
  }

  /** Takes one if there is one, at a rate that may be another each time. */
  public Left tryTake(String key, Rate rate) {
    ConsumptionProbe probe = limited(key, rate).at(rate).tryConsumeAndReturnRemaining(1);
    return new Left(
        rate.most(),
        probe.getRemainingTokens(),
        probe.isConsumed()
            ? Duration.ZERO
            : Duration.ofNanos(Math.max(1, probe.getNanosToWaitForRefill())));
  }

  /** Gives one back that was taken for nothing. */
  public void giveBack(String key, Rate rate) {
    limited(key, rate).at(rate).addTokens(1);
  }

  /** Refuses, with the time until there is another, if there is none; takes nothing. */
  public void refuseIfEmpty(String key) {
    Limited known = known(key);
    if (known == null) {
      return;
    }
    EstimationProbe probe = known.bucket.estimateAbilityToConsume(1);
    if (!probe.canBeConsumed()) {
      throw new Refused(
          new Refusal.RateLimited(usual.most(), Duration.ofNanos(probe.getNanosToWaitForRefill())));
    }
  }

  /** Takes one if there is one. */
  public void count(String key) {
    var _ = tryTake(key, usual);
  }

  private synchronized @Nullable Limited known(String key) {
    return limits.get(key);
  }

  private synchronized Limited limited(String key, Rate rate) {
    return limits.computeIfAbsent(key, _ -> new Limited(rate));
  }
}
