package gpuaas.local.gpu;

import gpuaas.spi.Gpu;

/**
 * A GPU as a driver tells of it.
 *
 * @param minor the N of {@code /dev/nvidiaN}
 * @param memoryMib 0 when the source does not say
 */
record DriverGpu(String uuid, String product, int memoryMib, int minor) {

  Gpu gpu() {
    return GpuModels.ofDriver(product, memoryMib);
  }
}
