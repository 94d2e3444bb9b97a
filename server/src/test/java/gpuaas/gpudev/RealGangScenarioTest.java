package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A job of two nodes on real environments: its members work together by what they are told. */
class RealGangScenarioTest {

  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Path NETWORKS = Path.of("/run/netns");

  /** The same on each node, as such programs are: the variables say who is who. */
  private static final String WORK =
      """
      echo "rank $NODE_RANK of $NNODES, $WORLD_SIZE in all, master $MASTER_ADDR:$MASTER_PORT"
      perl -MIO::Socket::INET -e '
        my ($address, $port) = ($ENV{MASTER_ADDR}, $ENV{MASTER_PORT});
        if ($ENV{NODE_RANK} == 0) {
          my $all = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 5) or die $!;
          my $one = $all->accept; my $said = <$one>; print "heard $said"; print $one "welcome\n";
        } else {
          my $master;
          for (1 .. 300) { $master = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port) and last; select(undef, undef, undef, 0.1) }
          print $master "greetings of $ENV{NODE_RANK}\n"; print "heard ", scalar <$master>;
        }'
      """;

  private TestServer server;
  private JobClient client;

  @BeforeEach
  void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_TYPE", "local",
                "GPUAAS_PROVIDER_LOCAL_NODES", "2",
                "GPUAAS_PROVIDER_LOCAL_GPUS", "4xH200",
                "GPUAAS_PROVIDER_LOCAL_GPU_DISCOVERY", "off"));
    client = new JobClient(server, server.apiKey("full_access"));
  }

  @AfterEach
  void stop() throws Exception {
    server.running().leases().endAll(SOON);
    server.close();
  }

  private String submit(int number) {
    Map<String, String> variables = new HashMap<>();
    variables.put("GPU_COUNT", "2");
    variables.put("POD_NAME", "train - Node " + number + "/2");
    return client.submit(Map.of("command", WORK), variables);
  }

  private String logs(String id) {
    return client.fine("GET", "/v1/jobs/" + id + "/logs", "").path("content").asText();
  }

  @Test
  void twoNodesExchangeBytesByTheirRankAddresses() throws Exception {
    String zero = submit(1);
    assertThat(client.job(zero).path("status").asText()).isEqualTo("queued");
    String one = submit(2);
    JsonNode first = client.await(zero, "active");
    JsonNode second = client.await(one, "active");
    assertThat(first.path("total_nodes").asInt()).isEqualTo(2);
    assertThat(second.path("master_reservation_id").asText()).isEqualTo(zero);
    Eventually.within(
        SOON, "both have heard", () -> logs(zero).contains("heard") && logs(one).contains("heard"));
    assertThat(logs(zero))
        .isEqualTo("rank 0 of 2, 4 in all, master node-0:29500\nheard greetings of 1\n");
    assertThat(logs(one)).isEqualTo("rank 1 of 2, 4 in all, master node-0:29500\nheard welcome\n");

    // Who ends one ends both, and nothing of their network is left.
    client.fine("POST", "/v1/jobs/" + one + "/cancel", "");
    client.await(zero, "cancelled");
    Eventually.within(SOON, "no network is left", () -> networks() == 0);
  }

  private static long networks() {
    String[] all = Files.isDirectory(NETWORKS) ? NETWORKS.toFile().list() : new String[0];
    return java.util.Arrays.stream(all).filter(name -> name.startsWith("gpuaas-")).count();
  }
}
