package gpuaas.sim;

import java.time.Duration;

/**
 * How a simulated provider behaves. Asked once for each instance, so that a seed decides
 * everything.
 *
 * @param startsAfter from being made to being up
 * @param listedAfter from being made to showing in the list
 * @param goneAfter from being destroyed to showing as gone
 * @param lostAfter from being made to vanishing by itself; zero: never
 */
public record SimScript(
    Duration startsAfter, Duration listedAfter, Duration goneAfter, Duration lostAfter) {

  /** Everything at once, and nothing is ever lost. */
  public static SimScript prompt() {
    return new SimScript(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);
  }
}
