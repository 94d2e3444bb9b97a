/**
 * What every market that is reached over HTTP needs: paced calls whose failures say what may be
 * concluded, and a way into the machines that were rented there.
 *
 * <p>Promises that no call takes longer than its limit, that no answer is read without end, and
 * that no secret is in an error. Start at {@link gpuaas.market.MarketHttp} and {@link
 * gpuaas.market.MachineShell}.
 */
@NullMarked
package gpuaas.market;

import org.jspecify.annotations.NullMarked;
