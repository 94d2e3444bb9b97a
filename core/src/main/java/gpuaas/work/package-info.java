/**
 * Durable background work: look at a row, do one step, say when to look again.
 *
 * <p>Promises that work put down in a transaction is done if and only if that transaction commits,
 * by one worker at a time, again and again until it says it is done, across crashes. Start at
 * {@link gpuaas.work.Reconciler}.
 */
@NullMarked
package gpuaas.work;

import org.jspecify.annotations.NullMarked;
