package gpuaas.ledger;

import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
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

  /** It let somebody in there. */
  public static Evidence answered(Endpoint ssh, Instant at) {
    return new Evidence(Proof.SSH_ANSWERED, at, ssh.user() + "@" + ssh.host() + ":" + ssh.port());
  }

  /** Its provider said that it is there. */
  public static Evidence inspected(InstanceRef instance, Instant at) {
    return new Evidence(Proof.INSPECTED, at, instance.provider() + "/" + instance.id());
  }

  /** Its end was asked for, by a request or by us. */
  public static Evidence stopAsked(String why, String correlationId, Instant at) {
    return new Evidence(Proof.STOP_ASKED, at, (why + " " + correlationId).strip());
  }
}
