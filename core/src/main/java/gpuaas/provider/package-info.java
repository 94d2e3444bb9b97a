/**
 * The providers of this deployment, and the gate in front of each: time, number, health.
 *
 * <p>Promises that no call to a provider takes longer than its limit. Start at {@link
 * gpuaas.provider.Providers}.
 */
@NullMarked
package gpuaas.provider;

import org.jspecify.annotations.NullMarked;
