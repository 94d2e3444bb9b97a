package gpuaas.capacity;

import gpuaas.spi.Offer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What this server knows of a provider. Immutable.
 *
 * @param heard what it last said; stays when it cannot be asked
 * @param failed the last try to ask, if that failed
 */
record Known(Optional<Heard> heard, Optional<Failed> failed) {

  static final Known NOTHING = new Known(Optional.empty(), Optional.empty());

  /**
   * All offers of a provider.
   *
   * @param at when it said so
   * @param number of the answer: 1 is the first that this server got
   */
  record Heard(List<Offer> offers, Instant at, long number) {
    Heard {
      offers = List.copyOf(offers);
    }
  }

  /**
   * Why it could not be asked.
   *
   * @param why for people who choose offers; no more than they may know
   */
  record Failed(String why, Instant at) {}

  Known with(List<Offer> offers, Instant at) {
    return new Known(Optional.of(new Heard(offers, at, number() + 1)), Optional.empty());
  }

  /** Of the last answer; 0 when there was none. */
  long number() {
    return heard.map(Heard::number).orElse(0L);
  }

  Known with(Failed now) {
    return new Known(heard, Optional.of(now));
  }
}
