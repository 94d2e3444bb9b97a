package gpuaas.vastai;

import gpuaas.market.MarketSettings;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a Vast.ai account, checked.
 *
 * @param image for leases that name none
 * @param direct to enter machines by their own address instead of the market's proxy
 * @param ports that are opened to the world beside SSH
 * @param leastReliability of a host, from 0 to 1
 */
record VastaiSettings(
    String image,
    int diskGb,
    boolean direct,
    List<Integer> ports,
    BigDecimal leastReliability,
    boolean verifiedOnly,
    Optional<String> region,
    boolean simulated) {

  private static final int PORT_MOST = 65_535;

  static final List<Setting> ALL = all();

  private static List<Setting> all() {
    List<Setting> all =
        new ArrayList<>(MarketSettings.common("https://console.vast.ai/api/v0", "2", "4"));
    all.addAll(
        List.of(
            new Setting(
                "image",
                "For leases that name none.",
                "nvidia/cuda:12.6.3-runtime-ubuntu22.04",
                false),
            new Setting("disk-gb", "The disk of each machine; part of its price.", "50", false),
            new Setting(
                "ssh", "proxy: by the market's; direct: by its own address.", "proxy", false),
            new Setting("ports", "Opened to the world beside SSH, as 8000,8080.", "", false),
            new Setting("least-reliability", "Of hosts, from 0 to 1.", "0.95", false),
            new Setting("verified-only", "Only hosts that the market has verified.", "true", false),
            new Setting("templates-every", "How old its templates may be.", "1h", false),
            new Setting("silent-limit", "How long it may not hear from a machine.", "10m", false)));
    return List.copyOf(all);
  }

  static MarketSettings reader(ProviderConfig config) {
    return new MarketSettings("vastai", config, ALL);
  }

  static VastaiSettings read(MarketSettings reader) {
    String ssh = reader.text("ssh");
    if (!ssh.equals("proxy") && !ssh.equals("direct")) {
      throw new IllegalArgumentException("ssh must be proxy or direct");
    }
    return new VastaiSettings(
        reader.text("image"),
        reader.number("disk-gb", 8, 10_000),
        ssh.equals("direct"),
        ports(reader.text("ports")),
        reader.decimal("least-reliability"),
        reader.flag("verified-only"),
        reader.find("region"),
        reader.flag("simulated"));
  }

  private static List<Integer> ports(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    return Arrays.stream(text.split(",", 65)).map(String::strip).map(VastaiSettings::port).toList();
  }

  private static int port(String text) {
    int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
    if (port < 1 || port > PORT_MOST) {
      throw new IllegalArgumentException("ports must be numbers with commas between, as 8000,8080");
    }
    return port;
  }
}
