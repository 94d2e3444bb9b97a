package gpuaas.local;

import gpuaas.local.gpu.GpuInventory;
import gpuaas.local.image.IdRange;
import gpuaas.local.image.Images;
import gpuaas.local.oci.Cgroups;
import gpuaas.local.oci.OutboundNetwork;
import gpuaas.local.oci.RuncDriver;
import gpuaas.spi.Assurance;
import gpuaas.spi.ProviderConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/** What a local provider works with, chosen once when it is opened. */
record Runtimes(Driver driver, Images images, GpuInventory gpus, Assurance assurance) {

  static Runtimes choose(ProviderConfig config, LocalSettings settings, StepHook steps)
      throws IOException {
    GpuInventory gpus = GpuInventory.declared(settings.declaredGpus(), List.of());
    CRC32 sum = new CRC32();
    sum.update(config.dataFolder().toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8));
    String key = Long.toHexString(sum.getValue());
    Path runtimeFolder = Path.of("/run/gpuaas", key);
    Driver driver =
        new RuncDriver(
            Host.findProgram("runc").orElseThrow(),
            runtimeFolder,
            Cgroups.detect("gpuaas-" + key),
            Host.findProgram("slirp4netns").map(OutboundNetwork::new),
            steps);
    Images images =
        new Images(
            settings.imageFolder(),
            config.dataFolder().resolve("skeletons"),
            runtimeFolder.resolve("images"),
            IdRange.SHIFTED);
    return new Runtimes(
        driver,
        images,
        gpus,
        new Assurance(driver.isolation(), Set.of(Assurance.Limit.MEMORY), gpus.mode()));
  }
}
