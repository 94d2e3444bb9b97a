package gpuaas.ledger;

import java.time.Instant;

/**
 * What proves where a stretch of use begins or ends.
 *
 * @param at when the proof was had
 * @param reference what to look for: where SSH answered, which instance was inspected, who asked to
 *     stop and under which correlation id
 */
public record Evidence(Proof proof, Instant at, String reference) {

  /** Kinds of proof. */
  public enum Proof {
    /** A command was run in it over SSH. */
    SSH_ANSWERED,
    /** The provider was asked, and says that it is up. */
    INSPECTED,
    /** Its end was asked for. */
    STOP_ASKED
  }
}
