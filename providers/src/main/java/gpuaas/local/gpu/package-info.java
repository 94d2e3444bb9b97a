/**
 * Which GPUs this machine has, and what an environment needs to use them.
 *
 * <p>Promises never to fail for want of a driver or a library: each source is optional, and what it
 * said is kept for the doctor. A machine without GPUs gets the declared ones, marked as simulated.
 * Start at {@link gpuaas.local.gpu.GpuInventory}.
 */
@NullMarked
package gpuaas.local.gpu;

import org.jspecify.annotations.NullMarked;
