package gpuaas.capacity;

import java.time.Duration;

/**
 * How fresh a catalogue is, and what counts against an offer. Shares are in percent.
 *
 * @param freshFor how old what a provider said may be; it is asked again a little earlier, while
 *     what is there is served
 * @param refreshFromPercent of {@code freshFor}: from then on it is asked again
 * @param retryAfter how long a provider that could not be asked is left alone
 * @param waitMost how long the first who ask wait for a provider
 * @param lookEvery how old free GPUs of our own, prices, and what other servers saw fail may be
 * @param rememberedFor how long an offer that is gone can still be found
 * @param rememberedMost how many of those, at most
 * @param confidence how likely an offer can be had
 */
public record CatalogRules(
    Duration freshFor,
    int refreshFromPercent,
    Duration retryAfter,
    Duration waitMost,
    Duration lookEvery,
    Duration rememberedFor,
    int rememberedMost,
    Confidence confidence) {

  /**
   * How likely an offer can be had.
   *
   * @param agesFrom until then what was said counts in full
   * @param agesTo from then on it counts {@code agedPercent}
   * @param failureWindow failures count for so long
   * @param failurePercent what is left for each failure of the offer
   * @param suppressAfter so many failures within the window hide an offer
   * @param suppressedFor for so long after the last of them
   * @param gpuWindow failures count for so long against the GPU model at its provider
   * @param gpuFailedOffers so many different offers with a failure make the model suspect
   * @param gpuPercent what is left for all offers of a suspect model
   * @param floorPercent failures leave at least this
   * @param historyFor how long creates count for offers whose provider can only guess
   */
  public record Confidence(
      Duration agesFrom,
      Duration agesTo,
      int agedPercent,
      Duration failureWindow,
      int failurePercent,
      int suppressAfter,
      Duration suppressedFor,
      Duration gpuWindow,
      int gpuFailedOffers,
      int gpuPercent,
      int floorPercent,
      Duration historyFor) {

    /** What works. */
    public static Confidence standard() {
      return new Confidence(
          Duration.ofMinutes(2),
          Duration.ofMinutes(5),
          50,
          Duration.ofMinutes(30),
          70,
          3,
          Duration.ofMinutes(30),
          Duration.ofHours(1),
          3,
          30,
          5,
          Duration.ofMinutes(30));
    }

    /** How far back the rules look. */
    Duration longest() {
      Duration suppression = failureWindow.plus(suppressedFor);
      Duration longest = suppression.compareTo(gpuWindow) > 0 ? suppression : gpuWindow;
      return longest.compareTo(historyFor) > 0 ? longest : historyFor;
    }
  }

  /** What works. */
  public static CatalogRules standard() {
    return new CatalogRules(
        Duration.ofMinutes(1),
        75,
        Duration.ofSeconds(10),
        Duration.ofSeconds(45),
        Duration.ofSeconds(1),
        Duration.ofHours(24),
        20_000,
        Confidence.standard());
  }
}
