/**
 * Vast.ai: a market of other people's machines, rented as containers by the hour.
 *
 * <p>Promises never to rent twice for one tag, never to pay more than was agreed, and to tell a
 * machine that is gone from one that could not be asked about. Start at {@link
 * gpuaas.vastai.VastaiClient}; {@link gpuaas.vastai.VastaiApiSim} is the market to try it with.
 */
@NullMarked
package gpuaas.vastai;

import org.jspecify.annotations.NullMarked;
