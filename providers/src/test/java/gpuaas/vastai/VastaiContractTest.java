package gpuaas.vastai;

import gpuaas.market.MarketFaults;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderContract;
import gpuaas.spi.ProviderFault;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Vast.ai keeps the contract, over its own wire, with every fault ordered. */
class VastaiContractTest extends ProviderContract {

  private static final String KEY = "a-key-of-the-contract";

  @TempDir private Path folder;

  @AutoClose private SimServer sim;
  private Provider provider;

  @BeforeEach
  void open() {
    InstantSource clock = InstantSource.system();
    sim = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("sim"), KEY, 1).start(0);
    provider =
        new VastaiFactory()
            .open(new ProviderConfig("vastai", DEPLOYMENT, folder, clock, values(sim, KEY)));
  }

  /** Settings for a simulated market: quick, and nothing is kept for later. */
  static Map<String, String> values(SimServer sim, String key) {
    return Map.of(
        "base-url", sim.url().toString(),
        "api-key", key,
        "calls-per-second", "1000",
        "burst", "100",
        "offers-every", "0s",
        "look-every", "0s",
        "appear-limit", "5s",
        "answer-limit", "5s",
        "simulated", "true");
  }

  @Override
  protected Provider provider() {
    return provider;
  }

  @Override
  protected Map<ProviderFault, String> notOrderable() {
    return Map.of();
  }

  @Override
  protected void order(ProviderFault fault) {
    MarketFaults.order(sim, fault);
  }

  @Override
  protected void endFaults() {
    MarketFaults.end(sim);
  }
}
