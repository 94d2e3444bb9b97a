/**
 * How the GPU Dev API reads and writes: bodies and queries checked all at once, with the words of
 * the original for each problem; JSON with its times; errors as {@code detail}.
 *
 * <p>Promises the forms of the contract, sections 2.1 and 2.2. Start with {@link
 * gpuaas.gpudev.wire.Model}.
 */
@NullMarked
package gpuaas.gpudev.wire;

import org.jspecify.annotations.NullMarked;
