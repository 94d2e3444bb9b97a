package gpuaas.tensordock;

import gpuaas.market.MarketSettings;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a TensorDock account, checked.
 *
 * @param image of the virtual machines; a lease cannot choose another
 * @param processorsPerGpu part of the price, as memory and disk are
 */
record TensordockSettings(
    String image,
    int processorsPerGpu,
    int memoryGbPerGpu,
    int diskGb,
    Optional<String> region,
    boolean simulated) {

  static final List<Setting> ALL = all();

  private static List<Setting> all() {
    List<Setting> all =
        new ArrayList<>(MarketSettings.common("https://dashboard.tensordock.com/api/v2", "1", "3"));
    all.addAll(
        List.of(
            new Setting("image", "Of the virtual machines.", "ubuntu2404", false),
            new Setting("cpus-per-gpu", "Processors with each GPU; paid for.", "8", false),
            new Setting("memory-gb-per-gpu", "Memory with each GPU; paid for.", "32", false),
            new Setting("disk-gb", "The disk of each machine; paid for.", "100", false)));
    return List.copyOf(all);
  }

  static MarketSettings reader(ProviderConfig config) {
    return new MarketSettings("tensordock", config, ALL);
  }

  static TensordockSettings read(MarketSettings reader) {
    return new TensordockSettings(
        reader.text("image"),
        reader.number("cpus-per-gpu", 1, 256),
        reader.number("memory-gb-per-gpu", 1, 2048),
        reader.number("disk-gb", 100, 100_000),
        reader.find("region"),
        reader.flag("simulated"));
  }
}
