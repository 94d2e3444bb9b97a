package gpuaas.session;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.session.PasswordTries.TryRules;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** When a name is refused, and for how long. */
class PasswordTriesTest {

  private static final TryRules RULES =
      new TryRules(3, Duration.ofMinutes(15), Duration.ofMinutes(10));
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static PasswordTries tries(int count, Instant at) {
    PasswordTries tries = PasswordTries.none(at);
    for (int i = 0; i < count; i++) {
      tries = tries.next(at, RULES);
    }
    return tries;
  }

  @Test
  void theLastThatIsAllowedLocksThoseAfterIt() {
    assertThat(tries(2, START).left(START)).isEmpty();
    assertThat(tries(3, START).left(START)).contains(Duration.ofMinutes(10));
  }

  @Test
  void goingOnDoesNotMakeItLonger() {
    Instant later = START.plusSeconds(300);
    PasswordTries locked = tries(3, START);
    assertThat(locked.next(later, RULES).left(later)).contains(Duration.ofMinutes(5));
  }

  @Test
  void afterwardsItBeginsAfresh() {
    Instant over = START.plus(Duration.ofMinutes(10));
    PasswordTries locked = tries(3, START);
    assertThat(locked.left(over)).isEmpty();
    assertThat(locked.next(over, RULES).failures()).isEqualTo(1);
  }

  @Test
  void oldOnesDoNotCount() {
    Instant later = START.plus(Duration.ofMinutes(15));
    assertThat(tries(2, START).next(later, RULES).failures()).isEqualTo(1);
    assertThat(tries(2, START).next(later.minusMillis(1), RULES).left(later)).isPresent();
  }
}
