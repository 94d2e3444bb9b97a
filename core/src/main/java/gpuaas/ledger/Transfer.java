package gpuaas.ledger;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * Money that moves from one account to another: two entries that add up to nothing. Never changed.
 *
 * @param id the same for the same cause, so that doing it again does nothing
 * @param tenant whose accounts they are
 * @param debit where it leaves
 * @param credit where it arrives
 * @param amountMicros millionths of the accounts' currency; more than none
 * @param reason for people
 */
public record Transfer(
    UUID id,
    UUID tenant,
    UUID debit,
    UUID credit,
    long amountMicros,
    Kind kind,
    Optional<UUID> lease,
    Instant at,
    String reason) {

  public Transfer {
    if (amountMicros <= 0) {
      throw new IllegalArgumentException("a transfer of " + amountMicros + " is none");
    }
    if (debit.equals(credit)) {
      throw new IllegalArgumentException("a transfer needs two accounts");
    }
  }

  /** Why money moves. */
  public enum Kind {
    /** Paid in, or given. */
    CREDIT,
    /** Set aside for a lease. */
    HOLD,
    /** A lease was used. */
    USAGE,
    /** Set aside and not needed. */
    VOID,
    /** A mistake is put right. */
    CORRECTION,
    /** A market charged something else than our bill says. */
    DIFFERENCE;

    /** The name in the database. */
    String text() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** The id that follows from a cause. */
  static UUID idOf(String cause) {
    return UUID.nameUUIDFromBytes(("transfer/" + cause).getBytes(StandardCharsets.UTF_8));
  }
}
