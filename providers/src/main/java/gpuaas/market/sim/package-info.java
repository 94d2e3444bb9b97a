/**
 * Markets that exist on this machine only: HTTP servers with the manners of the real ones, rented
 * machines that answer SSH, faults to order, and books of what every second cost.
 *
 * <p>Promises to listen on loopback and nowhere else, since whoever rents such a machine runs
 * commands on this one, and that one seed always leads to the same market. Start at {@link
 * gpuaas.market.sim.SimMarket} and {@link gpuaas.market.sim.SimServer}.
 */
@NullMarked
package gpuaas.market.sim;

import org.jspecify.annotations.NullMarked;
