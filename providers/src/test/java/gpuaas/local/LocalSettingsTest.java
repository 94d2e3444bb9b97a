package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.spi.Money;
import gpuaas.spi.ProviderConfig;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The settings: what they are without any, and that nothing wrong is passed over. */
class LocalSettingsTest {

  private static LocalSettings parse(Map<String, String> values) {
    return LocalSettings.parse(
        new ProviderConfig("local", "test", Path.of("/data"), InstantSource.system(), values));
  }

  @Test
  void everythingHasADefault() {
    // A machine needs no settings at all.
    LocalSettings settings = parse(Map.of());
    assertThat(settings.region().code()).isEqualTo("us-buffalo-1");
    assertThat(settings.declaredGpus()).hasSize(8);
    assertThat(settings.pidsLimit()).isEqualTo(1024);
    assertThat(settings.memoryPerGpuMib()).isEmpty();
    assertThat(settings.imageFolder()).isEqualTo(Path.of("/data/images"));
    assertThat(settings.pricePerGpuHour()).isEqualTo(Money.usd("0"));
    assertThat(settings.diskPoolGib()).isEmpty();
    assertThat(settings.diskStore()).isEqualTo(Store.AUTO);
  }

  @Test
  void everySettingIsRead() {
    // Each value arrives where it belongs, in its unit.
    LocalSettings settings =
        parse(
            Map.ofEntries(
                Map.entry("gpus", "1xT4"),
                Map.entry("gpu-discovery", "off"),
                Map.entry("cpus-per-gpu", "1.5"),
                Map.entry("memory-per-gpu-mib", "2048"),
                Map.entry("disk-per-gpu-mib", "10"),
                Map.entry("pids-limit", "64"),
                Map.entry("egress", "off"),
                Map.entry("driver", "runc"),
                Map.entry("disk-pool-gib", "12"),
                Map.entry("disk-store", "folders"),
                Map.entry("price-per-gpu-hour", "4.50")));
    assertThat(settings.gpuDiscovery()).isFalse();
    assertThat(settings.milliCpusPerGpu()).isEqualTo(Optional.of(1500));
    assertThat(settings.memoryPerGpuMib()).isEqualTo(Optional.of(2048));
    assertThat(settings.egress()).isEqualTo(LocalSettings.Egress.OFF);
    assertThat(settings.driver()).isEqualTo(LocalSettings.DriverChoice.RUNC);
    assertThat(settings.pricePerGpuHour().micros()).isEqualTo(4_500_000);
    assertThat(settings.diskPoolGib()).contains(12);
    assertThat(settings.diskStore()).isEqualTo(Store.FOLDERS);
  }

  @Test
  void whatIsWrongStopsTheStartWithItsName() {
    // The message begins with the setting, so that one knows where to look.
    for (List<String> bad :
        List.of(
            List.of("region", "Not A Region"),
            List.of("gpus", "many"),
            List.of("gpu-discovery", "perhaps"),
            List.of("cpus-per-gpu", "0"),
            List.of("cpus-per-gpu", "-1"),
            List.of("memory-per-gpu-mib", "63"),
            List.of("memory-per-gpu-mib", "99999999999"),
            List.of("pids-limit", "1"),
            List.of("egress", "yes"),
            List.of("driver", "podman"),
            List.of("disk-pool-gib", "-1"),
            List.of("disk-store", "zfs"),
            List.of("price-per-gpu-hour", "-1"),
            List.of("price-per-gpu-hour", "1.0000001"))) {
      assertThatThrownBy(() -> parse(Map.of(bad.getFirst(), bad.getLast())))
          .as(bad.toString())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith(bad.getFirst() + ": ");
    }
    assertThatThrownBy(() -> parse(Map.of("colour", "green")))
        .hasMessageContaining("no setting \"colour\"")
        .hasMessageContaining("gpu-discovery");
  }
}
