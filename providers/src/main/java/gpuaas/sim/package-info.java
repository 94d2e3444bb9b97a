/**
 * A provider that exists in memory only: for simulation, load and demonstration.
 *
 * <p>Promises to behave like a market: it may be slow to list what it made, it does not know two
 * requests with one tag as one, and what it does is decided by its script. Start at {@link
 * gpuaas.sim.SimProvider}.
 */
@NullMarked
package gpuaas.sim;

import org.jspecify.annotations.NullMarked;
