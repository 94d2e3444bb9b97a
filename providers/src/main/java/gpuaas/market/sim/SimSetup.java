package gpuaas.market.sim;

import java.util.List;

/**
 * How a machine of a simulated market is to begin.
 *
 * @param shell whether it answers SSH; without, it is what its image runs, which listens on all
 *     ports and says how it is at {@code /health}
 * @param ports that are open to the world, beside SSH
 * @param startCommand for its shell, as it starts; empty: none
 */
public record SimSetup(boolean shell, List<Integer> ports, String startCommand) {

  /** A shell and nothing else. */
  public static final SimSetup PLAIN = new SimSetup(true, List.of(), "");

  public SimSetup {
    ports = List.copyOf(ports);
  }
}
