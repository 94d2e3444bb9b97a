package gpuaas.market.sim;

import java.time.Duration;

/**
 * How long things take at a simulated market.
 *
 * @param createdAfter from being rented to its image being fetched
 * @param runningAfter from being rented to running
 * @param keyAfter from a key being attached, or from running if that is later, to its letting in
 * @param listedAfter from being rented to showing in the list
 * @param delistedAfter from being destroyed to vanishing from the list
 */
public record SimRules(
    Duration createdAfter,
    Duration runningAfter,
    Duration keyAfter,
    Duration listedAfter,
    Duration delistedAfter) {

  /** Slow enough to be watched. */
  public static SimRules watchable() {
    return new SimRules(
        Duration.ofSeconds(1),
        Duration.ofSeconds(4),
        Duration.ofSeconds(2),
        Duration.ofSeconds(2),
        Duration.ofSeconds(10));
  }

  /** Quick, for tests, and with every delay there. */
  public static SimRules quick() {
    return new SimRules(
        Duration.ofMillis(20),
        Duration.ofMillis(60),
        Duration.ofMillis(40),
        Duration.ZERO,
        Duration.ofMillis(50));
  }
}
