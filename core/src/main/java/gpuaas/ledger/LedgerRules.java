package gpuaas.ledger;

import java.time.Duration;

/**
 * How money is handled; each is a setting.
 *
 * @param prepaid true: a lease is accepted only if the funds cover its hold; false: funds may go
 *     below zero, and are then what is owed
 * @param holdFor how long the hold of a lease lasts at its price
 * @param startingCreditMicros what a new tenant is given
 * @param currency ISO 4217, of all prices and accounts
 * @param checkEvery how often funds and budgets of running leases are looked at
 * @param stopAhead leases are stopped, newest first, when what is left does not last this long; at
 *     least as long as {@code checkEvery}, so that nothing is spent that is not there
 * @param warnAhead owners are told when what is left does not last this long
 * @param lastWarnAhead and told again when it does not last this long
 * @param warnPercent owners are told when so much of a budget is used up
 * @param lastWarnPercent and told again
 */
public record LedgerRules(
    boolean prepaid,
    Duration holdFor,
    long startingCreditMicros,
    String currency,
    Duration checkEvery,
    Duration stopAhead,
    Duration warnAhead,
    Duration lastWarnAhead,
    int warnPercent,
    int lastWarnPercent) {

  /** What holds when nothing is set: bills without a limit. */
  public static LedgerRules standard() {
    return new LedgerRules(
        false,
        Duration.ofHours(1),
        0,
        "USD",
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        Duration.ofMinutes(30),
        Duration.ofMinutes(10),
        80,
        95);
  }
}
