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

  /** All offers of a provider, and when it was asked. */
  record Heard(List<Offer> offers, Instant at) {
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

  Known with(Heard now) {
    return new Known(Optional.of(now), Optional.empty());
  }

  Known with(Failed now) {
    return new Known(heard, Optional.of(now));
  }
}
