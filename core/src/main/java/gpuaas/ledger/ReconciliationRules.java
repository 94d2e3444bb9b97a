package gpuaas.ledger;

import java.time.Duration;

/**
 * How bills of markets are compared with ours; each is a setting.
 *
 * @param every how often is looked whether there is something to compare
 * @param daysBack how many days that have ended are asked for each time, also when they were
 *     compared before: markets put bills right
 */
public record ReconciliationRules(Duration every, int daysBack) {

  /** What holds when nothing is set. */
  public static ReconciliationRules standard() {
    return new ReconciliationRules(Duration.ofHours(1), 7);
  }
}
