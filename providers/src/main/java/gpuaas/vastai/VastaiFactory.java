package gpuaas.vastai;

import gpuaas.market.MachineKeys;
import gpuaas.market.MachineShell;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketProvider;
import gpuaas.market.MarketSettings;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory;
import java.util.List;

/** Opens an account at Vast.ai as a provider. */
public final class VastaiFactory implements ProviderFactory {

  @Override
  public String type() {
    return "vastai";
  }

  @Override
  public List<Setting> settings() {
    return VastaiSettings.ALL;
  }

  @Override
  public Provider open(ProviderConfig config) {
    MarketSettings reader = VastaiSettings.reader(config);
    VastaiClient client =
        new VastaiClient(
            new MarketHttp(reader.http()),
            VastaiSettings.read(reader),
            config.name(),
            config.clock());
    return new MarketProvider(
        config.name(),
        client,
        new MachineShell(MachineKeys.open(config.dataFolder()), reader.duration("ssh-limit")),
        config.clock(),
        reader.rules(reader.duration("silent-limit")));
  }
}
