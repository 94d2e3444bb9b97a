package gpuaas.local;

import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderContract;
import java.nio.file.Path;
import java.time.InstantSource;
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
}
