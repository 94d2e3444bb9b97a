/**
 * The machines and GPUs we can place on, and where a want goes.
 *
 * <p>Promises that no GPU has two holders: the database refuses what does not fit. Start at {@link
 * gpuaas.capacity.Placement}.
 */
@NullMarked
package gpuaas.capacity;

import org.jspecify.annotations.NullMarked;
