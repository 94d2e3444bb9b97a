package gpuaas.market;

import gpuaas.spi.Endpoint;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.time.Instant;
import java.util.Map;
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
 * @param ports where its ports are reached from outside, as far as that is known
 * @param openHost an address of its own, where each port is itself; empty: it has none
 */
public record Machine(
    String id,
    String label,
    Phase phase,
    String why,
    Optional<Integer> gpuCount,
    Optional<Long> microsPerHour,
    Optional<Endpoint> ssh,
    Map<Integer, PublicPort> ports,
    Optional<String> openHost,
    Instant madeAt) {

  public Machine {
    ports = Map.copyOf(ports);
  }

  /** Where one of its ports is reached from outside, if that is known. */
  public Optional<PublicPort> publicPort(int port) {
    return Optional.ofNullable(ports.get(port))
        .or(() -> openHost.map(host -> new PublicPort(host, port)));
  }

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
