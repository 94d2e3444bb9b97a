package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.Inside.Said;
import gpuaas.local.StepHook.Step;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.ProviderException;
import gpuaas.spi.gang.Membership;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Environments that work together: they reach each other by name, and nobody else does. */
class LocalGangTest {

  private static final Map<String, String> TWO_NODES =
      Map.of(
          "driver",
          "runc",
          "egress",
          "off",
          "disk-pool-gib",
          "0",
          "nodes",
          "2",
          "gpus",
          "8xH200",
          "cpu-places",
          "0");

  private static final Path NETWORKS = Path.of("/run/netns");

  /** Says its name to whoever asks, once. */
  private static final String LISTEN =
      "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort =>"
          + " 29500, Listen => 5, ReuseAddr => 1) or die $!; system(\"touch /tmp/ready\");"
          + " $c = $s->accept; print $c \"hello of $ARGV[0]\\n\"' ";

  private static final String ASK =
      "perl -MIO::Socket::INET -e '$c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort =>"
          + " 29500, Timeout => 3) or die \"no: $!\"; print <$c>' ";

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  /** The end of the server's process, as far as the work in hand can tell. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  /** Of a test that failed; nothing to do after the others. */
  @AfterEach
  void destroyWhatIsLeft() throws Exception {
    Path environments = folder.resolve("environments");
    if (Files.isDirectory(environments) && environments.toFile().list().length > 0) {
      try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
        Inside.destroyAll(provider);
      }
    }
  }

  private static InstanceRequest member(
      LocalProvider provider, int number, String node, String gang, int index) {
    InstanceRequest plain = Inside.request(provider, number, List.of());
    List<String> gpu = List.of(freeGpu(provider, node, number));
    return new InstanceRequest(
        plain.tag(),
        plain.offer(),
        node,
        gpu,
        "",
        List.of(),
        Map.of(),
        plain.hostName(),
        plain.launch(),
        Optional.empty(),
        Optional.of(new Membership(gang, index, 2)));
  }

  private static String freeGpu(LocalProvider provider, String node, int number) {
    NodeStatus status =
        provider.nodes().stream().filter(one -> one.name().equals(node)).findFirst().orElseThrow();
    return status.gpus().get(number % status.gpus().size()).id();
  }

  private static List<String> nodes(LocalProvider provider) {
    return provider.nodes().stream().map(NodeStatus::name).toList();
  }

  private static void listen(LocalProvider provider, InstanceRef instance, String name) {
    Inside.run(provider, instance, "setsid " + LISTEN + name + " > /dev/null 2>&1 &");
    Inside.eventually(
        "it listens", () -> Inside.run(provider, instance, "ls /tmp/ready").exitCode() == 0);
  }

  private static List<String> networks() throws Exception {
    if (!Files.isDirectory(NETWORKS)) {
      return List.of();
    }
    try (var files = Files.list(NETWORKS)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(n -> n.startsWith("gpuaas-"))
          .toList();
    }
  }

  @Test
  void aMachineMayPassForSeveralNodes() {
    try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
      assertThat(provider.nodes()).hasSize(2).allMatch(node -> node.gpus().size() == 4);
      assertThat(provider.offers(gpuaas.spi.OfferQuery.all()).getFirst().gpuCountMost())
          .isEqualTo(4);
      InstanceRequest elsewhere = member(provider, 1, nodes(provider).get(1), "g", 0);
      InstanceRef made = provider.create(elsewhere);
      assertThat(Inside.run(provider, made, "cat /etc/hosts").output())
          .contains("10.88.0.1 node-0\n10.88.0.2 node-1\n");
      provider.destroy(made);
    }
  }

  @Test
  void membersReachEachOtherByNameAndNobodyElse() throws Exception {
    List<String> before = networks();
    try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
      InstanceRef zero = provider.create(member(provider, 1, nodes(provider).get(0), "g", 0));
      InstanceRef one = provider.create(member(provider, 2, nodes(provider).get(1), "g", 1));
      InstanceRef stranger = provider.create(member(provider, 3, nodes(provider).get(0), "h", 1));
      listen(provider, zero, "node-0");
      Said refused = Inside.run(provider, stranger, ASK + "node-0");
      assertThat(refused.exitCode()).isNotZero();
      assertThat(Inside.run(provider, one, ASK + "node-0"))
          .isEqualTo(new Said(0, "hello of node-0\n", ""));
      // Nor does the host, which has neither the address nor a way there.
      Process host = new ProcessBuilder("ip", "route", "get", "10.88.0.1").start();
      assertThat(new String(host.getInputStream().readAllBytes())).doesNotContain("gang0");
      provider.destroy(zero);
      provider.destroy(stranger);
      provider.destroy(one);
      assertThat(networks()).isEqualTo(before);
    }
  }

  @Test
  void whoIsReplacedIsConnectedAgain() throws Exception {
    try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
      InstanceRef zero = provider.create(member(provider, 1, nodes(provider).get(0), "g", 0));
      provider.destroy(provider.create(member(provider, 2, nodes(provider).get(1), "g", 1)));
      InstanceRef again = provider.create(member(provider, 3, nodes(provider).get(1), "g", 1));
      listen(provider, again, "node-1");
      assertThat(Inside.run(provider, zero, ASK + "node-1").output())
          .isEqualTo("hello of node-1\n");
    }
  }

  @Test
  void aServerThatDiesBeforeItConnectedAMemberIsFollowedByOneThatDoes() throws Exception {
    InstanceRef zero;
    try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
      zero = provider.create(member(provider, 1, nodes(provider).get(0), "g", 0));
    }
    StepHook crash =
        step -> {
          if (step == Step.CONFINED) {
            throw new Crash();
          }
        };
    try (LocalProvider provider = Inside.open(folder, TWO_NODES, crash)) {
      assertThatThrownBy(() -> provider.create(member(provider, 2, nodes(provider).get(1), "g", 1)))
          .isInstanceOf(Crash.class);
    }
    try (LocalProvider provider = Inside.open(folder, TWO_NODES)) {
      InstanceRef one =
          provider.list(Inside.DEPLOYMENT).stream()
              .map(owned -> owned.instance())
              .filter(instance -> !instance.equals(zero))
              .findFirst()
              .orElseThrow();
      Inside.eventually(
          "it is up",
          () -> provider.inspect(one).orElseThrow() instanceof gpuaas.spi.InstanceStatus.Up);
      listen(provider, one, "node-1");
      assertThat(Inside.run(provider, zero, ASK + "node-1").output())
          .isEqualTo("hello of node-1\n");
    }
  }

  @Test
  void whereNothingConnectsThemTheyAreRefused() {
    Map<String, String> unprivileged =
        Map.of("driver", "bubblewrap", "egress", "off", "disk-pool-gib", "0");
    try (LocalProvider provider = Inside.open(folder, unprivileged)) {
      assertThatThrownBy(() -> provider.create(member(provider, 1, nodes(provider).get(0), "g", 0)))
          .isInstanceOf(ProviderException.Rejected.class)
          .hasMessageContaining("iproute2");
    }
  }
}
