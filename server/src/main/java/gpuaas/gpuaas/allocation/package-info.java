/**
 * Allocations and groups of them, in the words of GPUaaS: the caller's own, and everybody's for
 * those who run the platform.
 *
 * <p>Promises that a status is the same in lists, filters, groups and by itself. Start at {@link
 * gpuaas.gpuaas.allocation.AllocationRoutes}.
 */
@NullMarked
package gpuaas.gpuaas.allocation;

import org.jspecify.annotations.NullMarked;
