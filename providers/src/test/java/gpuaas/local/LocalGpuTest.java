package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.gpu.GpuSources;
import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a device into an environment, with harmless devices in place of GPUs. */
class LocalGpuTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @Test
  void anEnvironmentHasItsOwnGpusAndNoOther() throws Exception {
    // The device, the driver's library and the variables of the GPU taken are there; others not.
    device("nvidia0", 5);
    device("nvidia1", 3);
    Files.writeString(folder.resolve("libcuda.so.1"), "the driver's library");
    Files.writeString(folder.resolve("gpus.json"), description());
    try (LocalProvider provider = open()) {
      assertThat(provider.nodes().getFirst().assurance().gpuMode()).isEqualTo(GpuMode.PASSTHROUGH);
      InstanceRef made = provider.create(Inside.request(provider, 1, List.of("CDI-0")));

      assertThat(Inside.run(provider, made, "head -c 3 /dev/nvidia0 | wc -c").output().strip())
          .isEqualTo("3");
      assertThat(Inside.run(provider, made, "ls /dev/nvidia1").exitCode()).isNotZero();
      assertThat(Inside.run(provider, made, "cat /opt/driver/libcuda.so.1").output())
          .isEqualTo("the driver's library");
      assertThat(Inside.run(provider, made, "echo $GPU_WORD-$GPUAAS_GPUS_SIMULATED").output())
          .isEqualTo("zero-\n");
      assertThat(folder.resolve("hook-ran")).exists();
      InstanceRef without = provider.create(CpuPlacesTest.request(provider, 2));
      assertThat(Inside.run(provider, without, "ls /dev/nvidia0 /dev/nvidia1").output()).isEmpty();
      assertThat(Inside.run(provider, without, "echo $NVIDIA_VISIBLE_DEVICES-$GPU_WORD").output())
          .isEqualTo("void-\n");
      assertThat(provider.utilization(without).gpuPercent()).contains(0);
      provider.destroy(without);
      assertThat(Files.readString(Path.of("/sys/fs/cgroup/devices").resolve(group(made))))
          .contains("c 1:5 rw")
          .doesNotContain("a *:* rwm");
      provider.destroy(made);
    }
  }

  private static String group(InstanceRef made) throws IOException {
    try (var groups = Files.list(Path.of("/sys/fs/cgroup/devices"))) {
      return groups
          .filter(base -> Files.isDirectory(base.resolve(made.id())))
          .findFirst()
          .orElseThrow()
          .getFileName()
          .resolve(made.id())
          .resolve("devices.list")
          .toString();
    }
  }

  private LocalProvider open() {
    ProviderConfig config =
        new ProviderConfig(
            "local",
            Inside.DEPLOYMENT,
            folder.resolve("data"),
            InstantSource.system(),
            Map.of("driver", "runc"));
    GpuSources sources =
        new GpuSources(
            "libno-such-library.so.1",
            Optional.empty(),
            folder.resolve("none"),
            folder.resolve("none"),
            List.of(folder));
    return LocalProvider.open(config, LocalSettings.parse(config), sources, StepHook.NONE);
  }

  private void device(String name, int minor) throws Exception {
    Process made =
        new ProcessBuilder(
                "mknod", "-m", "666", folder.resolve(name).toString(), "c", "1", "" + minor)
            .inheritIO()
            .start();
    assertThat(made.waitFor()).isZero();
  }

  private String description() {
    return """
    {"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
     "containerEdits": {
       "mounts": [{"hostPath": "%1$s/libcuda.so.1", "containerPath": "/opt/driver/libcuda.so.1",
                   "options": ["ro", "nosuid", "nodev", "bind"]}],
       "hooks": [{"hookName": "createRuntime", "path": "/usr/bin/touch",
                  "args": ["touch", "%1$s/hook-ran"]}]},
     "devices": [
       {"name": "0", "containerEdits": {"env": ["GPU_WORD=zero"],
         "deviceNodes": [{"path": "/dev/nvidia0", "hostPath": "%1$s/nvidia0",
                          "permissions": "rw"}]}},
       {"name": "1", "containerEdits": {"env": ["GPU_WORD=one"],
         "deviceNodes": [{"path": "/dev/nvidia1", "hostPath": "%1$s/nvidia1"}]}}]}
    """
        .formatted(folder);
  }
}
