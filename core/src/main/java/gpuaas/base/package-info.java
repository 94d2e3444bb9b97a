/**
 * The words every other package uses: who asks, what is refused, a page of a list, the source of
 * ids.
 *
 * <p>Promises to depend on nothing of ours. Start at {@link gpuaas.base.Caller} and {@link
 * gpuaas.base.Refusal}.
 */
@NullMarked
package gpuaas.base;

import org.jspecify.annotations.NullMarked;
