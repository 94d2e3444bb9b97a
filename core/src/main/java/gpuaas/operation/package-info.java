/**
 * Requests that are done once, however often they are sent, and what they set off.
 *
 * <p>Promises that the effect of a request and the answer kept for its key are one transaction.
 * Start at {@link gpuaas.operation.Idempotency} and {@link gpuaas.operation.Operation}.
 */
@NullMarked
package gpuaas.operation;

import org.jspecify.annotations.NullMarked;
