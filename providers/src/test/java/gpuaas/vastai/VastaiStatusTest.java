package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.Machine;
import gpuaas.market.Machine.Phase;
import gpuaas.market.MachineKeys;
import gpuaas.market.MachineShell;
import gpuaas.market.MarketApi;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketLabel;
import gpuaas.market.MarketProvider;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each status of the market means for us. */
class VastaiStatusTest {

  private static final VastaiTypes TYPES =
      new VastaiTypes(
          new VastaiSettings(
              "", 50, false, List.of(), BigDecimal.ZERO, true, Optional.empty(), true));

  @TempDir private Path folder;

  private static Machine machine(String json) throws IOException {
    return TYPES.machine(MarketHttp.JSON.readTree(json)).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "null, running, STARTING",
    "created, running, STARTING",
    "loading, running, STARTING",
    "rebooting, running, STARTING",
    "running, running, RUNNING",
    "running, stopped, STOPPED",
    "loading, stopped, STOPPED",
    "stopped, stopped, STOPPED",
    "exited, running, STOPPED",
    "frozen, frozen, STOPPED",
    "unknown, running, SILENT",
    "offline, running, SILENT"
  })
  void aStatusIsAPhase(String actual, String intended, Phase phase) throws IOException {
    // What is stopped costs on; what the market does not hear from may still run.
    String status = actual.equals("null") ? "null" : "\"" + actual + "\"";
    String json =
        "{\"id\":7,\"actual_status\":%s,\"intended_status\":\"%s\"}".formatted(status, intended);
    assertThat(machine(json).phase()).isEqualTo(phase);
  }

  @Test
  void portsAreReadInBothShapes() throws IOException {
    // Docker's shape while it runs, an array of numbers in the documents; neither breaks the look.
    String json = "{\"id\":7,\"actual_status\":\"running\",\"ports\":%s,%s}";
    String proxy = "\"ssh_host\":\"ssh5.vast.ai\",\"ssh_port\":39860";
    assertThat(machine(json.formatted("[22,8000]", proxy)).ssh().orElseThrow().port())
        .isEqualTo(39_860);
    assertThat(machine(json.formatted("null", "\"ssh_host\":null,\"ssh_port\":null")).ssh())
        .isEmpty();
    assertThat(machine(json.formatted("{}", "\"ssh_host\":\"a b\",\"ssh_port\":1")).ssh())
        .isEmpty();
  }

  @Test
  void silenceIsALossOnlyAfterAWhile() throws IOException {
    // At first nothing is concluded; later it has failed, and whoever pays for it may end it.
    TestClock clock = new TestClock();
    Machine silent = machine("{\"id\":7,\"actual_status\":\"offline\"}");
    MarketProvider.Rules rules =
        new MarketProvider.Rules(
            Duration.ZERO, Duration.ofMinutes(10), Duration.ZERO, Duration.ZERO, 1, true);
    MachineShell shell = new MachineShell(MachineKeys.open(folder), Duration.ofSeconds(1));
    try (MarketProvider provider =
        new MarketProvider("market", new Only(silent), shell, clock, rules)) {
      InstanceRef instance = new InstanceRef("market", "7");
      assertThatThrownBy(() -> provider.inspect(instance))
          .isInstanceOf(ProviderException.Unavailable.class);
      clock.advance(Duration.ofMinutes(9));
      assertThatThrownBy(() -> provider.inspect(instance))
          .isInstanceOf(ProviderException.Unavailable.class);
      clock.advance(Duration.ofMinutes(1));
      assertThat(provider.inspect(instance)).containsInstanceOf(InstanceStatus.Failed.class);
    }
  }

  /** A market with one machine. */
  private record Only(Machine machine) implements MarketApi {
    @Override
    public List<Offer> offers(int limit) {
      return List.of();
    }

    @Override
    public String create(InstanceRequest request, MarketLabel label, String publicKey) {
      throw new ProviderException.NoCapacity("it has one machine");
    }

    @Override
    public void attachKey(String id, String publicKey) {}

    @Override
    public Optional<Machine> show(String id) {
      return Optional.of(machine).filter(one -> one.id().equals(id));
    }

    @Override
    public List<Machine> list() {
      return List.of(machine);
    }

    @Override
    public boolean destroy(String id) {
      return true;
    }

    @Override
    public void close() {}
  }
}
