package gpuaas.local;

import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderContract;
import gpuaas.spi.ProviderFault;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The local provider keeps the contract, with real containers. */
class LocalContractTest extends ProviderContract {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private Provider provider;

  @BeforeEach
  void open() {
    provider =
        new LocalFactory()
            .open(
                new ProviderConfig("local", DEPLOYMENT, folder, InstantSource.system(), Map.of()));
  }

  @Override
  protected Provider provider() {
    return provider;
  }

  @Override
  protected Map<ProviderFault, String> notOrderable() {
    Map<ProviderFault, String> reasons = new EnumMap<>(ProviderFault.class);
    for (ProviderFault fault : ProviderFault.values()) {
      reasons.put(
          fault, "this machine is called directly: no wire, no market and no account lie between");
    }
    return reasons;
  }
}
