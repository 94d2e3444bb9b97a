package gpuaas.web;

import java.time.Duration;

/**
 * The intervals and limits of what is reached in a browser; each is a setting.
 *
 * @param watchEvery how often a Jupyter that answers is looked at
 * @param startLookEvery how often one is that shall come up, or whose lease does
 * @param startLimit how long one may take until it answers
 * @param retryLongest the longest pause after it failed; the first is a second, then it doubles
 * @param commandLimit how long starting and ending may take
 * @param portsMost of one lease, beside Jupyter's
 */
public record WebRules(
    Duration watchEvery,
    Duration startLookEvery,
    Duration startLimit,
    Duration retryLongest,
    Duration commandLimit,
    int portsMost) {

  /** As shipped. */
  public static WebRules standard() {
    return new WebRules(
        Duration.ofSeconds(5),
        Duration.ofMillis(250),
        Duration.ofSeconds(90),
        Duration.ofMinutes(1),
        Duration.ofSeconds(30),
        20);
  }

  /** The pause before the next try, after so many failures one after the other. */
  Duration pause(int failures) {
    Duration pause = Duration.ofSeconds(1L << Math.clamp(failures - 1L, 0, 10));
    return pause.compareTo(retryLongest) < 0 ? pause : retryLongest;
  }
}
