/**
 * Money: what was used, what it costs, who paid.
 *
 * <p>Promises that no second of a lease is counted twice, that the same use gives the same bill
 * however it was cut, that all entries add up to nothing, that a balance is the sum of its entries,
 * and that what was written is never changed. Start at {@link gpuaas.ledger.Hold}: what a lease
 * does to money; then {@link gpuaas.ledger.Ledger}.
 */
@NullMarked
package gpuaas.ledger;

import org.jspecify.annotations.NullMarked;
