package gpuaas.local.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.Gpu;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each source of knowledge about GPUs, against files and a library of the test's own. */
class GpuDiscoveryTest {

  private static final String NO_LIBRARY = "libno-such-library.so.1";

  private static final String SMI =
      """
      <?xml version="1.0" ?>
      <!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
      <nvidia_smi_log>
        <attached_gpus>1</attached_gpus>
        <gpu id="00000000:01:00.0">
          <product_name>NVIDIA GeForce RTX 4090</product_name>
          <uuid>GPU-cccc</uuid>
          <minor_number>0</minor_number>
          <fb_memory_usage><total>24564 MiB</total><used>1 MiB</used></fb_memory_usage>
          <utilization><gpu_util>7 %</gpu_util><memory_util>93 %</memory_util></utilization>
        </gpu>
      </nvidia_smi_log>
      """;

  @TempDir private Path folder;

  @Test
  void theManagementLibraryIsAskedFirst() throws Exception {
    // Number, UUID, model and memory come from the library's own functions.
    GpuInventory found = find(compileStub(), Optional.empty());

    assertThat(found.mode()).isEqualTo(GpuMode.PASSTHROUGH);
    assertThat(found.devices()).extracting(GpuDevice::id).containsExactly("GPU-aaaa", "GPU-bbbb");
    assertThat(found.devices().getFirst().gpu()).isEqualTo(new Gpu("NVIDIA", "H100", 81_559));
    assertThat(found.devices().getFirst().healthy()).as("its device file is not there").isFalse();
  }

  @Test
  void howBusyGpusAreIsAskedOfLibraryAndTool() throws Exception {
    // The busiest of those that are asked for counts; one that no source knows is not idle, but
    // unknown.
    GpuSources library = sources(compileStub(), Optional.empty());
    assertThat(library.busiest(List.of("GPU-aaaa"))).contains(0);
    assertThat(library.busiest(List.of("GPU-aaaa", "GPU-bbbb"))).contains(42);
    assertThat(library.busiest(List.of("GPU-cccc"))).isEmpty();

    GpuSources tool = sources(NO_LIBRARY, Optional.of(tool()));
    assertThat(tool.busiest(List.of("GPU-cccc"))).contains(7);
    assertThat(tool.busiest(List.of("GPU-cccc", "CDI-0"))).isEmpty();
    assertThat(sources(NO_LIBRARY, Optional.empty()).busiest(List.of("GPU-cccc"))).isEmpty();
  }

  private String compileStub() throws IOException, InterruptedException {
    Path source = folder.resolve("stub.c");
    try (InputStream code = getClass().getResourceAsStream("nvml-stub.c")) {
      Files.copy(Objects.requireNonNull(code), source);
    }
    Path library = folder.resolve("libnvidia-ml.so.1");
    Process compiler =
        new ProcessBuilder("gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString())
            .inheritIO()
            .start();
    assertThat(compiler.waitFor()).isZero();
    return library.toString();
  }

  private Path tool() throws IOException {
    Path tool = folder.resolve("nvidia-smi");
    Files.writeString(tool, "#!/bin/sh\ncat <<'END'\n" + SMI + "END\n");
    assertThat(tool.toFile().setExecutable(true)).isTrue();
    return tool;
  }

  @Test
  void theToolIsAskedNext() throws Exception {
    // Without the library, the tool's XML says the same; its DTD is not looked for.
    GpuInventory found = find(NO_LIBRARY, Optional.of(tool()));
    assertThat(found.devices())
        .singleElement()
        .satisfies(device -> {
          assertThat(device.id()).isEqualTo("GPU-cccc");
          assertThat(device.gpu()).isEqualTo(new Gpu("NVIDIA", "RTX 4090", 24_564));
        });
    assertThat(found.findings()).contains("NVML: no library " + NO_LIBRARY, "nvidia-smi: 1 GPUs");
  }

  @Test
  void theDriversFilesAreEnough() throws Exception {
    // With neither library nor tool, the driver's folder names the GPUs; memory is the model's.
    Path gpu = Files.createDirectories(folder.resolve("driver/0000:01:00.0"));
    Files.writeString(
        gpu.resolve("information"),
        "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-dddd\nDevice Minor: \t 0\n");

    GpuInventory found = find(NO_LIBRARY, Optional.empty());
    assertThat(found.devices().getFirst().gpu()).isEqualTo(new Gpu("NVIDIA", "H200", 143_771));
  }

  @Test
  void aGpuWithoutADriverIsMentioned() throws Exception {
    // What is on the bus and cannot be used is said, and nothing else is made of it.
    Path device = Files.createDirectories(folder.resolve("pci/0000:01:00.0"));
    Files.writeString(device.resolve("class"), "0x030200\n");
    Files.writeString(device.resolve("vendor"), "0x10de\n");

    GpuInventory found = find(NO_LIBRARY, Optional.empty());
    assertThat(found.findings()).contains("NVIDIA GPU at 0000:01:00.0, without a driver");
    assertThat(found.mode()).isEqualTo(GpuMode.SIMULATED);
    assertThat(found.summary()).isEqualTo("1x T4 (declared, simulated)");
  }

  @Test
  void descriptionsAreReadInBothForms() throws Exception {
    // JSON and YAML say the same; what is hostile or broken is a finding and no device.
    Path cdi = Files.createDirectories(folder.resolve("cdi"));
    Files.writeString(
        cdi.resolve("a.json"),
        """
        {"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
         "containerEdits": {"env": ["SHARED=1"],
           "deviceNodes": [{"path": "/dev/nvidiactl", "hostPath": "/dev/null"}]},
         "devices": [{"name": "0", "containerEdits": {
           "deviceNodes": [{"path": "/dev/nvidia0", "hostPath": "/dev/zero", "permissions": "rw"}]}}]}
        """);
    Files.writeString(
        cdi.resolve("b.yaml"),
        """
        cdiVersion: "0.6.0"
        kind: nvidia.com/gpu
        devices:
          - name: "1"
            containerEdits:
              hooks:
                - hookName: createContainer
                  path: /bin/true
                  args: ["true"]
        """);
    Files.writeString(
        cdi.resolve("c.json"),
        """
        {"kind": "nvidia.com/gpu", "devices": [{"name": "2", "containerEdits": {
          "deviceNodes": [{"path": "/dev/../etc/shadow"}]}}]}
        """);

    GpuInventory found = find(NO_LIBRARY, Optional.empty());
    assertThat(found.devices()).extracting(GpuDevice::id).containsExactly("CDI-0", "CDI-1");
    ContainerEdits edits = found.edits(List.of(found.devices().getFirst()));
    assertThat(edits.devices())
        .extracting(ContainerEdits.DeviceNode::path)
        .containsExactly("/dev/nvidiactl", "/dev/nvidia0");
    assertThat(edits.variables())
        .containsEntry("SHARED", "1")
        .containsEntry("NVIDIA_VISIBLE_DEVICES", "CDI-0");
    assertThat(found.findings()).anyMatch(finding -> finding.contains("c.json cannot be used"));
  }

  @Test
  void declarationsAreChecked() {
    // Known models have their memory; unknown ones need it; nonsense says what to write.
    assertThat(GpuModels.parse("2xH200, 1xMINE:4096"))
        .containsExactly(
            new Gpu("NVIDIA", "H200", 143_771),
            new Gpu("NVIDIA", "H200", 143_771),
            new Gpu("NVIDIA", "MINE", 4096));
    assertThat(GpuModels.parse("1xRTX4090,1xrtx_4090,1xRTX4090:48000"))
        .containsExactly(
            new Gpu("NVIDIA", "RTX 4090", 24_564),
            new Gpu("NVIDIA", "RTX 4090", 24_564),
            new Gpu("NVIDIA", "RTX 4090", 48_000));
    for (String bad : List.of("", "H200", "8xNOBODY", "0xH200", "999xH200", "8x-H200", "8xH200;")) {
      assertThatThrownBy(() -> GpuModels.parse(bad))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("gpus: ");
    }
  }

  private GpuInventory find(String library, Optional<Path> tool) {
    return GpuInventory.find(List.of(new Gpu("NVIDIA", "T4", 15_360)), sources(library, tool));
  }

  private GpuSources sources(String library, Optional<Path> tool) {
    return new GpuSources(
        library,
        tool,
        folder.resolve("driver"),
        folder.resolve("pci"),
        List.of(folder.resolve("cdi")));
  }
}
