/**
 * Starting an instance anew. Promises that its files, its GPUs and its address stay what they are.
 * Start at {@link gpuaas.spi.restart.HasRestart}.
 */
@NullMarked
package gpuaas.spi.restart;

import org.jspecify.annotations.NullMarked;
