package gpuaas.catalog;

import gpuaas.spi.gang.Membership;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A lease's part in a gang: leases of one owner that begin together or not at all, and end
 * together.
 *
 * @param name the same for all members, and of no other gang of its owner, ever
 * @param index which member this is, from 0
 * @param size how many members there are
 */
public record Gang(String name, int index, int size) {

  public Gang {
    if (size < 1 || index < 0 || index >= size) {
      throw new IllegalArgumentException("member " + index + " of " + size);
    }
  }

  /** What its provider is told. */
  public Membership membership() {
    return new Membership(name, index, size);
  }

  /**
   * What programs that span machines look for. Follows from what is known when it is asked for:
   * nobody has to be looked up.
   *
   * @param gpus of each member
   * @param port where the first member waits for the others
   */
  public Map<String, String> environment(int gpus, int port) {
    Map<String, String> variables = new HashMap<>();
    variables.put("NODE_RANK", Integer.toString(index));
    variables.put("NNODES", Integer.toString(size));
    variables.put("GPUS_PER_NODE", Integer.toString(gpus));
    int processes = Math.max(1, gpus);
    variables.put("NPROC_PER_NODE", Integer.toString(processes));
    variables.put("WORLD_SIZE", Integer.toString(Math.multiplyExact(size, processes)));
    variables.put("MASTER_ADDR", Membership.hostName(0));
    variables.put("MASTER_PORT", Integer.toString(port));
    variables.put(
        "GANG_MEMBERS",
        IntStream.range(0, size).mapToObj(Membership::hostName).collect(Collectors.joining(",")));
    return variables;
  }
}
