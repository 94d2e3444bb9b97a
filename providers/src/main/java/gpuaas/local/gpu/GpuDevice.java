package gpuaas.local.gpu;

import gpuaas.spi.Gpu;

/**
 * One GPU of this machine.
 *
 * @param id the device's UUID; for a simulated one a name of the same form of use
 * @param index its number on this machine, from 0
 * @param healthy false: it is there, and cannot be used
 */
public record GpuDevice(String id, int index, Gpu gpu, boolean healthy) {}
