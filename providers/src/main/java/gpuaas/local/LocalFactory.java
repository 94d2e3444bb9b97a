package gpuaas.local;

import gpuaas.local.gpu.GpuSources;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory;
import java.util.List;

/** Opens this machine as a provider. */
public final class LocalFactory implements ProviderFactory {

  @Override
  public String type() {
    return "local";
  }

  @Override
  public List<Setting> settings() {
    return LocalSettings.ALL;
  }

  @Override
  public Provider open(ProviderConfig config) {
    return LocalProvider.open(
        config, LocalSettings.parse(config), GpuSources.ofThisMachine(), StepHook.NONE);
  }
}
