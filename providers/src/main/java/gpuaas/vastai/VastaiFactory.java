package gpuaas.vastai;

import gpuaas.market.MachineKeys;
import gpuaas.market.MachineShell;
import gpuaas.market.MarketHttp;
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
    MarketHttp http = new MarketHttp(reader.http());
    VastaiHosts hosts = new VastaiHosts();
    return new VastaiProvider(
        config.name(),
        new VastaiClient(http, VastaiSettings.read(reader), hosts, config.name(), config.clock()),
        new MachineShell(MachineKeys.open(config.dataFolder()), reader.duration("ssh-limit")),
        config.clock(),
        reader.rules(reader.duration("silent-limit")),
        new VastaiTemplates(http, hosts, config.clock(), reader.duration("templates-every")),
        new VastaiCharges(http, config.name()));
  }
}
