package gpuaas.market;

import gpuaas.spi.Endpoint;
import java.time.Instant;
import java.util.Optional;

/**
 * A machine that we rent, in the words of no market.
 *
 * @param label what is written on it
 * @param phase how it is
 * @param why what the market says of a machine that is not well
 * @param gpuCount how many it has; empty: the market does not say
 * @param microsPerHour what it costs; empty: the market does not say
 * @param ssh where it is to be entered; empty: not known yet
 */
public record Machine(
    String id,
    String label,
    Phase phase,
    String why,
    Optional<Integer> gpuCount,
    Optional<Long> microsPerHour,
    Optional<Endpoint> ssh,
    Instant madeAt) {

  /** How a machine is. */
  public enum Phase {
    /** On its way up. */
    STARTING,
    /** It is said to run. */
    RUNNING,
    /** It does not run and will not by itself; most markets still ask money for its disk. */
    STOPPED,
    /** The market itself does not hear from it now. */
    SILENT,
    /** The market has no such machine any more. */
    GONE
  }
}
