/**
 * The GPUaaS dialect: allocations of SKUs under {@code /api/v1}. Its contract is {@code
 * docs/api/gpuaas.yaml}.
 *
 * <p>Promises no behaviour of its own: it turns requests into calls on the core, and answers into
 * the words of the contract. Start at {@link gpuaas.gpuaas.GpuaasDialect}.
 */
@NullMarked
package gpuaas.gpuaas;

import org.jspecify.annotations.NullMarked;
