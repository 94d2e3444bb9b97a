/**
 * Requests that are done once, however often they are sent.
 *
 * <p>Promises that the effect of a request and the answer kept for its key are one transaction.
 * Start at {@link gpuaas.operation.Idempotency}.
 */
@NullMarked
package gpuaas.operation;

import org.jspecify.annotations.NullMarked;
