package gpuaas.access;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Caller;
import gpuaas.base.Credential;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;

/** Tokens that open one terminal of one lease, once, within a short time. Kept as hashes only. */
public final class Terminals {

  private final Database database;
  private final InstantSource clock;
  private final Duration lifetime;

  public Terminals(Database database, InstantSource clock, Duration lifetime) {
    this.database = database;
    this.clock = clock;
    this.lifetime = lifetime;
  }

  /** A token, shown once. */
  public record Token(String token, Duration lifetime) {
    @Override
    public String toString() {
      return "Token[" + lifetime + "]"; // never the secret
    }
  }

  /** What came of presenting a token. */
  public sealed interface Redeemed {
    /**
     * The terminal may open.
     *
     * @param person for whom
     * @param credential what they came with when they asked for the token
     * @param askedAt when that was
     */
    record Opened(UUID lease, UUID person, Credential credential, Instant askedAt)
        implements Redeemed {}

    /** There is no such token: never made, used, or too old. */
    record Unknown() implements Redeemed {}

    /** It was made for another lease. It is used up all the same. */
    record ForAnotherLease() implements Redeemed {}
  }

  /**
   * Makes a token for a lease that the caller may open.
   *
   * @param credential what the caller came with
   */
  public Token mint(Tx tx, Caller caller, Credential credential, UUID lease) {
    String token = Secrets.token();
    Instant now = clock.instant();
    TerminalStore.deleteExpired(tx, now);
    TerminalStore.add(
        tx,
        Secrets.hash(token),
        new Redeemed.Opened(lease, caller.user(), credential, now),
        now.plus(lifetime));
    AuditStore.append(tx, caller, Act.TERMINAL_TOKEN_CREATE, lease, now);
    return new Token(token, lifetime);
  }

  /** Uses a token up. Of two that present it at once, one gets it. */
  public Redeemed redeem(String token, UUID lease) {
    return database
        .tx(tx -> TerminalStore.take(tx, Secrets.hash(token), clock.instant()))
        .<Redeemed>map(
            found -> found.lease().equals(lease) ? found : new Redeemed.ForAnotherLease())
        .orElseGet(Redeemed.Unknown::new);
  }
}
