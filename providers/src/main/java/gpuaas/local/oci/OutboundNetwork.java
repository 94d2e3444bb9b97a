package gpuaas.local.oci;

import gpuaas.local.linux.Command;
import gpuaas.local.linux.Processes.Identity;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way from an environment to the network outside: {@code slirp4netns}, a network card made by a
 * process. That process lives in the environment's control group and so ends with it. An
 * environment reaches neither the host's loopback nor its other addresses, nor the addresses where
 * clouds tell a machine its secrets.
 *
 * @param program where slirp4netns is
 */
public record OutboundNetwork(Path program) {

  private static final Logger LOG = LoggerFactory.getLogger(OutboundNetwork.class);
  private static final long TIMEOUT_SECONDS = 10;

  /** Link-local: metadata services, and whatever else trusts its own link. */
  private static final String LINK_LOCAL = "169.254.0.0/16";

  /** Joins the group before it becomes slirp4netns: gone is the group, gone is the way out. */
  private static final String JOIN_AND_RUN =
      "echo $$ > \"$1\" || exit 1; shift; exec setsid \"$@\" >/dev/null 2>&1";

  /** What an environment's {@code /etc/resolv.conf} says. */
  String resolver() {
    return "nameserver 10.0.2.3\n";
  }

  /** Connects an environment without keeping its creator waiting. */
  void connectLater(String id, Identity first, Path groupMembers) {
    Thread.ofVirtual()
        .name("outbound-" + id)
        .start(() -> {
          try {
            connect(first, groupMembers);
          } catch (IOException | RuntimeException failure) {
            if (first.isAlive()) {
              LOG.warn("environment {} has no outbound network", id, failure);
            }
          }
        });
  }

  private void connect(Identity first, Path groupMembers) throws IOException {
    blockHostAddresses(first);
    new ProcessBuilder(
            "/bin/sh",
            "-c",
            JOIN_AND_RUN,
            "sh",
            groupMembers.toString(),
            program.toString(),
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            Long.toString(first.pid()),
            "tap0")
        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Before there is a way out. Root inside may not change routes: it lacks the capability. */
  private static void blockHostAddresses(Identity first) throws IOException {
    Set<String> blocked = new TreeSet<>(hostAddresses());
    blocked.add(LINK_LOCAL);
    String script =
        blocked.stream()
            .map(address -> "ip route add blackhole " + address)
            .collect(Collectors.joining(" && "));
    List<String> command =
        List.of("nsenter", "-t", Long.toString(first.pid()), "-n", "/bin/sh", "-c", script);
    Command.Result result = Command.run(TIMEOUT_SECONDS, command);
    if (!result.ok()) {
      throw new IOException("the host's addresses could not be blocked: " + result.output());
    }
  }

  private static Set<String> hostAddresses() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
        .map(InetAddress::getHostAddress)
        .collect(Collectors.toSet());
  }
}
