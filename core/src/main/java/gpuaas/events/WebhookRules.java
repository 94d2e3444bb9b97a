package gpuaas.events;

import java.time.Duration;
import java.util.List;

/**
 * The limits of webhooks.
 *
 * @param retryAfter the pause before each attempt; there are as many attempts as pauses
 * @param attemptLimit for one attempt, everything together
 * @param inOrderAttempts how often an event is tried before later ones of the same lease pass it
 * @param parallel attempts at once by this server
 * @param parallelPerEndpoint attempts at once to one endpoint by this server
 * @param pollEvery how often is looked for what is due
 * @param disableAfter deliveries given up in a row until the endpoint is disabled
 * @param mostPerTenant endpoints
 * @param secretOverlap how long an old secret signs beside the new one
 * @param kept how long deliveries are kept
 */
public record WebhookRules(
    List<Duration> retryAfter,
    Duration attemptLimit,
    int inOrderAttempts,
    int parallel,
    int parallelPerEndpoint,
    Duration pollEvery,
    int disableAfter,
    int mostPerTenant,
    Duration secretOverlap,
    Duration kept) {

  public WebhookRules {
    retryAfter = List.copyOf(retryAfter);
    if (retryAfter.isEmpty()) {
      throw new IllegalArgumentException("at least one attempt is needed");
    }
  }

  /** Twelve attempts over four days. */
  public static WebhookRules standard() {
    return new WebhookRules(
        List.of(
            Duration.ZERO,
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10),
            Duration.ofMinutes(30),
            Duration.ofHours(2),
            Duration.ofHours(6),
            Duration.ofHours(12),
            Duration.ofHours(24),
            Duration.ofHours(24),
            Duration.ofHours(24)),
        Duration.ofSeconds(10),
        4,
        32,
        4,
        Duration.ofMillis(500),
        5,
        100,
        Duration.ofHours(24),
        Duration.ofDays(30));
  }

  /**
   * The pause after this many failed attempts, up to a fifth longer so that not all come at once;
   * the same for the same delivery and attempt.
   *
   * @param seed differs from delivery to delivery
   */
  Duration pause(int attempts, long seed) {
    Duration pause = retryAfter.get(attempts);
    long mixed = (seed + attempts) * 0x9E3779B97F4A7C15L;
    long part = mixed >>> 48; // 0 to 65,535
    return pause.plus(pause.multipliedBy(part).dividedBy(5L * 65_536));
  }
}
