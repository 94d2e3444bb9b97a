package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.InstanceRef;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way out of an environment, and where it does not lead. */
class LocalNetworkTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @Test
  void theWayOutLeadsNeitherToTheHostNorToItsCloud() throws Exception {
    // There is a default route; the host's own addresses and link-local ones are cut off.
    Map<String, String> settings = Map.of("driver", "runc", "egress", "slirp4netns");
    try (LocalProvider provider = Inside.open(folder, settings);
        ServerSocket server = new ServerSocket(0)) {
      InstanceRef made = Inside.create(provider, 1);
      Inside.eventually(
          "there is a way out",
          () -> Inside.run(provider, made, "ip route").output().contains("default via 10.0.2.2"));

      assertThat(Inside.run(provider, made, "ip route").output())
          .contains("blackhole 169.254.0.0/16");
      assertThat(Inside.run(provider, made, "ip route del blackhole 169.254.0.0/16").exitCode())
          .isNotZero();
      Set<String> addresses =
          Stream.concat(Stream.of("10.0.2.2", "127.0.0.1"), hostAddresses().stream())
              .collect(Collectors.toSet());
      for (String address : addresses) {
        assertThat(Inside.run(provider, made, connect(address, server.getLocalPort())).exitCode())
            .as("connecting to " + address)
            .isNotZero();
      }
      provider.destroy(made);
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    }
  }

  @Test
  void withoutEgressThereIsOnlyLoopback() {
    // Switched off, there is no card and no route at all.
    try (LocalProvider provider = Inside.open(folder, Map.of("driver", "runc", "egress", "off"))) {
      InstanceRef made = Inside.create(provider, 1);
      assertThat(Inside.run(provider, made, "ls /sys/class/net; ip route").output())
          .isEqualTo("lo\n");
      provider.destroy(made);
    }
  }

  private static String connect(String address, int port) {
    return "timeout 3 bash -c 'exec 3<>/dev/tcp/" + address + "/" + port + "'";
  }

  private static List<String> hostAddresses() throws Exception {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> address.getAddress().length == 4)
        .map(InetAddress::getHostAddress)
        .toList();
  }
}
