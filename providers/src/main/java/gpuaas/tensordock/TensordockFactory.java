package gpuaas.tensordock;

import gpuaas.market.MachineKeys;
import gpuaas.market.MachineShell;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketProvider;
import gpuaas.market.MarketSettings;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory;
import java.util.List;

/** Opens an account at TensorDock as a provider. */
public final class TensordockFactory implements ProviderFactory {

  @Override
  public String type() {
    return "tensordock";
  }

  @Override
  public List<Setting> settings() {
    return TensordockSettings.ALL;
  }

  @Override
  public Provider open(ProviderConfig config) {
    MarketSettings reader = TensordockSettings.reader(config);
    TensordockClient client =
        new TensordockClient(
            new MarketHttp(reader.http()),
            TensordockSettings.read(reader),
            config.name(),
            config.clock());
    return new MarketProvider(
        config.name(),
        client,
        new MachineShell(MachineKeys.open(config.dataFolder()), reader.duration("ssh-limit")),
        config.clock(),
        reader.rules(reader.duration("appear-limit")));
  }
}
