/**
 * What was used and what it costs.
 *
 * <p>Promises that no second of a lease is counted twice. Start at {@link gpuaas.ledger.Usage}.
 */
@NullMarked
package gpuaas.ledger;

import org.jspecify.annotations.NullMarked;
