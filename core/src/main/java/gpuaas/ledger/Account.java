package gpuaas.ledger;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;

/**
 * A place where money of a tenant is. The accounts of a tenant add up to nothing: what came in is
 * somewhere.
 *
 * @param currency ISO 4217
 */
public record Account(UUID tenant, Kind kind, String currency) {

  /** Stands for ourselves where a tenant is named: whose accounts the markets' are. */
  static final UUID PLATFORM = new UUID(0, 0);

  /** What the money in it is. */
  public enum Kind {
    /** Where money comes from: its balance is what was paid in, below zero. */
    FUNDING,
    /** What the tenant can spend; below zero: what it owes. */
    FUNDS,
    /** Set aside for leases. */
    HELD,
    /** What we earned by the tenant. */
    REVENUE,
    /** What markets charged us beyond what their machines earned; below zero: less than that. */
    MARKET,
    /** The other side of it: below zero is what we lost, above is what we kept. */
    MARKET_DIFFERENCE;

    /** The accounts that every tenant has. */
    static final List<Kind> OF_TENANTS = List.of(FUNDING, FUNDS, HELD, REVENUE);

    /** Our own, one of each. */
    static final List<Kind> OF_PLATFORM = List.of(MARKET, MARKET_DIFFERENCE);

    /** The name in the database. */
    String text() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** Follows from what the account is, so that nobody needs to look it up. */
  public UUID id() {
    return UUID.nameUUIDFromBytes(
        ("account/" + tenant + "/" + kind + "/" + currency).getBytes(StandardCharsets.UTF_8));
  }
}
