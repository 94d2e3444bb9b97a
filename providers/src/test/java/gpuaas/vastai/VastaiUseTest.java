package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasUtilization;
import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a rented machine uses of itself can be known, so that one that nobody uses is found. */
class VastaiUseTest {

  private static final String KEY = "the-very-secret-key";
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration BUSY = Duration.ofMillis(200);

  @TempDir private Path folder;

  @AutoClose private SimServer sim;
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    InstantSource clock = InstantSource.system();
    sim = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("sim"), KEY, 7).start(0);
    Map<String, String> values = VastaiContractTest.values(sim, KEY);
    provider =
        new VastaiFactory()
            .open(new ProviderConfig("vastai", "use", folder.resolve("data"), clock, values));
  }

  private InstanceRef rent() {
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    OwnerTag tag = new OwnerTag("use", new UUID(1, 1), 1);
    InstanceRef machine =
        provider.create(
            new InstanceRequest(tag, offer, "", List.of(), "", List.of(), Map.of(), "use"));
    Eventually.within(
        SOON,
        "it is up",
        () -> provider.inspect(machine).orElseThrow() instanceof InstanceStatus.Up);
    return machine;
  }

  private Utilization look(InstanceRef machine) {
    return ((HasUtilization) provider).utilization(machine);
  }

  @Test
  void anIdleMachineUsesNothingAndABusyOneDoes() {
    // Looks alone are no use; a loop in a shell is.
    InstanceRef machine = rent();
    look(machine);
    assertThat(look(machine).processorTime()).contains(Duration.ZERO);
    assertThat(look(machine).gpuPercent()).contains(0);
    ExecRequest loop =
        new ExecRequest(List.of("sh", "-c", "while :; do :; done"), Optional.empty(), Map.of());
    try (ExecChannel busy = ((HasExec) provider).exec(machine, loop)) {
      Eventually.within(
          SOON,
          "it is busy",
          () -> look(machine).processorTime().orElseThrow().compareTo(BUSY) > 0);
      busy.signal("KILL");
    }
  }

  @Test
  void manyLooksAreOneLogin() {
    // The connection is kept for the next look, and is not the user's.
    InstanceRef machine = rent();
    look(machine);
    long before = sim.market().logins();
    for (int round = 0; round < 10; round++) {
      look(machine);
    }
    assertThat(sim.market().logins()).isEqualTo(before);
  }

  @Test
  void aMachineThatIsAnotherOneIsNotBelieved() {
    // At its place there is one with another host key: nothing that it says counts.
    InstanceRef machine = rent();
    look(machine);
    sim.market().replaceAll();
    for (int round = 0; round < 2; round++) {
      assertThatThrownBy(() -> look(machine)).isInstanceOf(ProviderException.Unavailable.class);
    }
    provider.destroy(machine);
    assertThatThrownBy(() -> look(machine)).isInstanceOf(ProviderException.Unavailable.class);
  }
}
