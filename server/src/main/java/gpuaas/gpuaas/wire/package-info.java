/**
 * How the GPUaaS dialect says no, and the documents that say how it speaks.
 *
 * <p>Promises that every no has a code of the catalogue, and that the catalogue is made from the
 * code. Start at {@link gpuaas.gpuaas.wire.ErrorCode}.
 */
@NullMarked
package gpuaas.gpuaas.wire;

import org.jspecify.annotations.NullMarked;
