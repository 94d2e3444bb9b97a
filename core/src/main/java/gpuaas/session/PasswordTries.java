package gpuaas.session;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Wrong passwords for a name, and until when it is refused.
 *
 * @param failures since {@code since}
 */
public record PasswordTries(int failures, Instant since, Optional<Instant> lockedUntil) {

  /**
   * When a name is refused; each is a setting.
   *
   * @param failuresMost so many within the window
   * @param lockedFor how long it is refused then
   */
  public record TryRules(int failuresMost, Duration window, Duration lockedFor) {}

  static PasswordTries none(Instant now) {
    return new PasswordTries(0, now, Optional.empty());
  }

  /** How long it is still refused; empty: it is not. */
  Optional<Duration> left(Instant now) {
    return lockedUntil.filter(now::isBefore).map(until -> Duration.between(now, until));
  }

  /** One more, which is taken for wrong until it is known to be right. */
  PasswordTries next(Instant now, TryRules rules) {
    if (left(now).isPresent()) {
      return this; // whoever goes on guessing does not make it longer
    }
    boolean afresh = lockedUntil.isPresent() || !now.isBefore(since.plus(rules.window()));
    int count = (afresh ? 0 : failures) + 1;
    return new PasswordTries(
        count,
        afresh ? now : since,
        count >= rules.failuresMost()
            ? Optional.of(now.plus(rules.lockedFor()))
            : Optional.empty());
  }
}
