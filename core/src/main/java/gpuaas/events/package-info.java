/**
 * Facts about leases, written in the transaction of the change that made them true.
 *
 * <p>Promises at least one delivery, in order for each lease, with an id that stays the same. Start
 * at {@link gpuaas.events.Event}.
 */
@NullMarked
package gpuaas.events;

import org.jspecify.annotations.NullMarked;
