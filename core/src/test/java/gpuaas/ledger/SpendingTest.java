package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.ledger.Spending.Running;
import gpuaas.ledger.Spending.Verdict;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** When leases are told that money runs out, and in which order they stop. */
class SpendingTest {

  private static final LedgerRules RULES = LedgerRules.standard();
  private static final UUID NEW = new UUID(0, 3);
  private static final UUID MIDDLE = new UUID(0, 2);
  private static final UUID OLD = new UUID(0, 1);

  /** Each of three leases uses 3600 an hour, which is 1 a second. */
  private static Verdict verdict(long left, int usedPercent, int warned) {
    List<Running> newestFirst =
        List.of(
            new Running(NEW, 1, 3600, warned),
            new Running(MIDDLE, 1, 3600, warned),
            new Running(OLD, 1, 3600, warned));
    return new Spending("it", left, usedPercent, Running::pricePerHourMicros, newestFirst)
        .verdict(RULES);
  }

  @Test
  void whileThereIsPlentyNothingHappens() {
    assertThat(verdict(1_000_000, 0, 0)).isEqualTo(new Verdict(List.of(), List.of(), 0, 333_333));
  }

  @Test
  void allAreToldOnceWhenItWillNotLastLongOrMostOfABudgetIsGone() {
    assertThat(verdict(3 * 1799, 0, 0).warn()).containsExactly(NEW, MIDDLE, OLD);
    assertThat(verdict(3 * 1799, 0, 1).warn()).isEmpty();
    assertThat(verdict(1_000_000, 80, 0).level()).isEqualTo(1);
    assertThat(verdict(1_000_000, 95, 1).warn()).containsExactly(NEW, MIDDLE, OLD);
    assertThat(verdict(1_000_000, 95, 2).warn()).isEmpty();
  }

  @Test
  void theNewestStopFirstAndOnlyAsManyAsItTakes() {
    assertThat(verdict(179, 0, 2).stop()).containsExactly(NEW);
    assertThat(verdict(119, 0, 2).stop()).containsExactly(NEW, MIDDLE);
    assertThat(verdict(59, 0, 2).stop()).containsExactly(NEW, MIDDLE, OLD);
    assertThat(verdict(-5, 100, 2).stop()).containsExactly(NEW, MIDDLE, OLD);
  }

  @Test
  void whatCostsNothingNeedsNoFunds() {
    List<Running> free = List.of(new Running(NEW, 1, 0, 0));
    assertThat(new Spending("it", 0, 0, Running::pricePerHourMicros, free).verdict(RULES))
        .isEqualTo(new Verdict(List.of(), List.of(), 0, 0));
  }
}
