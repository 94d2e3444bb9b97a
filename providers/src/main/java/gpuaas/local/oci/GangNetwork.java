package gpuaas.local.oci;

import gpuaas.local.linux.Command;
import gpuaas.local.linux.Processes.Identity;
import gpuaas.spi.gang.Membership;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What the members of a gang see each other by: a bridge in a network namespace of the gang's own,
 * with a cable from each member's. Nothing else is plugged in, so that neither the host nor anybody
 * else's environment can be reached by it, and all gangs may have the same addresses.
 *
 * <p>Nothing is remembered: what exists says the kernel. Each step may be repeated, and the last
 * member that leaves takes the bridge away.
 *
 * @param network the first three numbers of the members' addresses
 */
public record GangNetwork(String network) {

  private static final long TIMEOUT_SECONDS = 20;
  private static final String CARD = "gang0";
  private static final Object ONE_AT_A_TIME = new Object();

  /** Of $NAME with the bridge, of the member with process $PID, its cable and its address. */
  private static final String JOIN =
      """
      set -e
      ip netns list | grep -q "^$NAME\\b" || ip netns add "$NAME"
      ip -n "$NAME" link show bridge > /dev/null 2>&1 || ip -n "$NAME" link add bridge type bridge
      ip -n "$NAME" link set bridge up
      ip -n "$NAME" link del "$CABLE" 2> /dev/null || true
      ip -n "$NAME" link add "$CABLE" type veth peer name "$CARD" netns "$PID"
      ip -n "$NAME" link set "$CABLE" master bridge up
      nsenter -t "$PID" -n ip address add "$ADDRESS/24" dev "$CARD"
      nsenter -t "$PID" -n ip link set "$CARD" up
      """;

  private static final String LEAVE =
      """
      ip netns list | grep -q "^$NAME\\b" || exit 0
      ip -n "$NAME" link del "$CABLE" 2> /dev/null
      [ -n "$(ip -n "$NAME" link show type veth)" ] || ip netns del "$NAME"
      """;

  private static final String IS_IN =
      "nsenter -t \"$PID\" -n ip -4 address show \"$CARD\" | grep -q inet";

  /** For {@code /etc/hosts}: all members by name. */
  String hosts(Membership membership) {
    return IntStream.range(0, membership.size())
        .mapToObj(index -> address(index) + " " + Membership.hostName(index) + "\n")
        .collect(Collectors.joining());
  }

  private String address(int index) {
    return network + "." + (index + 1);
  }

  /** Connects a member; one that is connected stays as it is. */
  void join(String deployment, Membership membership, Identity first) throws IOException {
    synchronized (ONE_AT_A_TIME) {
      Map<String, String> variables = variables(deployment, membership);
      variables.put("PID", Long.toString(first.pid()));
      if (!run(IS_IN, variables).ok()) {
        Command.Result joined = run(JOIN, variables);
        if (!joined.ok()) {
          throw new IOException("a member of a gang could not be connected: " + joined.output());
        }
      }
    }
  }

  /** Takes a member's cable away, and what nobody needs any more. Nothing there is success. */
  void leave(String deployment, Membership membership) throws IOException {
    synchronized (ONE_AT_A_TIME) {
      Command.Result left = run(LEAVE, variables(deployment, membership));
      if (!left.ok()) {
        throw new IOException("the network of a gang is not gone: " + left.output());
      }
    }
  }

  private Map<String, String> variables(String deployment, Membership membership) {
    UUID name =
        UUID.nameUUIDFromBytes(
            (deployment + "/" + membership.gang()).getBytes(StandardCharsets.UTF_8));
    Map<String, String> variables = new HashMap<>();
    variables.put("NAME", "gpuaas-" + name);
    variables.put("CABLE", "member" + membership.index());
    variables.put("CARD", CARD);
    variables.put("ADDRESS", address(membership.index()));
    variables.put("PATH", Bundle.PATH);
    return variables;
  }

  /** Never with what somebody said as a part of the line. */
  private static Command.Result run(String script, Map<String, String> variables)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("env", "-i"));
    variables.forEach((name, value) -> command.add(name + "=" + value));
    command.addAll(List.of("/bin/sh", "-c", script));
    return Command.run(TIMEOUT_SECONDS, command);
  }
}
