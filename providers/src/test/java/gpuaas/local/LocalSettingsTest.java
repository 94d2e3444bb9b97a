package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.image.registry.RegistrySettings;
import gpuaas.spi.Money;
import gpuaas.spi.ProviderConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    assertThat(settings.cpuPlaces().count()).isEqualTo(3);
    assertThat(settings.cpuPlaces().pricePerHour()).isEqualTo(Money.usd("0"));
    assertThat(settings.diskPoolGib()).isEmpty();
    assertThat(settings.diskStore()).isEqualTo(Store.AUTO);
    assertThat(settings.registries().instead()).isEmpty();
    assertThat(settings.registries().allowed()).isEmpty();
    assertThat(settings.registries().timeout()).isEqualTo(Duration.ofMinutes(15));
    assertThat(settings.registries().stall()).isEqualTo(Duration.ofSeconds(60));
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
                Map.entry("cpu-places", "5"),
                Map.entry("cpus-per-cpu-place", "0.5"),
                Map.entry("memory-per-cpu-place-mib", "512"),
                Map.entry("price-per-cpu-place-hour", "0.25"),
                Map.entry("disk-pool-gib", "12"),
                Map.entry("disk-store", "folders"),
                Map.entry("image-mirror", "docker.io=127.0.0.1:5000, ghcr.io=mirror.example.com"),
                Map.entry("image-insecure", "10.0.0.7:5000"),
                Map.entry("image-registries", "docker.io,ghcr.io"),
                Map.entry("image-credentials", "/etc/gpuaas/auth.json"),
                Map.entry("image-cache-gib", "7"),
                Map.entry("image-size-gib", "8"),
                Map.entry("image-default", "development"),
                Map.entry("image-timeout-seconds", "30"),
                Map.entry("image-stall-seconds", "5"),
                Map.entry("image-private", "loopback"),
                Map.entry("price-per-gpu-hour", "4.50")));
    assertThat(settings.gpuDiscovery()).isFalse();
    assertThat(settings.milliCpusPerGpu()).isEqualTo(Optional.of(1500));
    assertThat(settings.memoryPerGpuMib()).isEqualTo(Optional.of(2048));
    assertThat(settings.egress()).isEqualTo(LocalSettings.Egress.OFF);
    assertThat(settings.driver()).isEqualTo(LocalSettings.DriverChoice.RUNC);
    assertThat(settings.pricePerGpuHour().micros()).isEqualTo(4_500_000);
    assertThat(settings.cpuPlaces())
        .isEqualTo(new CpuPlaces(5, Optional.of(500), Optional.of(512), Money.usd("0.25")));
    assertThat(settings.diskPoolGib()).contains(12);
    assertThat(settings.diskStore()).isEqualTo(Store.FOLDERS);
    assertThat(settings.registries())
        .isEqualTo(
            new RegistrySettings(
                Map.of("docker.io", "127.0.0.1:5000", "ghcr.io", "mirror.example.com"),
                Set.of("10.0.0.7:5000"),
                Set.of("docker.io", "ghcr.io"),
                true,
                Optional.of(Path.of("/etc/gpuaas/auth.json")),
                7,
                8,
                "development",
                Duration.ofSeconds(30),
                Duration.ofSeconds(5)));
  }

  @Test
  void whatIsWrongStopsTheStartWithItsName() {
    // The message begins with the setting, so that one knows where to look.
    for (List<String> bad :
        List.of(
            List.of("region", "Not A Region"),
            List.of("cpu-places", "65"),
            List.of("cpus-per-cpu-place", "0"),
            List.of("memory-per-cpu-place-mib", "1"),
            List.of("price-per-cpu-place-hour", "-1"),
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
            List.of("image-mirror", "docker.io"),
            List.of("image-mirror", "docker.io=a b"),
            List.of("image-insecure", "http://x"),
            List.of("image-registries", "x/y"),
            List.of("image-private", "yes"),
            List.of("image-credentials", "relative"),
            List.of("image-cache-gib", "0"),
            List.of("image-size-gib", "many"),
            List.of("image-default", "docker.io/library/ubuntu"),
            List.of("image-timeout-seconds", "0"),
            List.of("image-stall-seconds", "-1"),
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
