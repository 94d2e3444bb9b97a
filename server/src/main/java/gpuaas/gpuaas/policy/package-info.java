/**
 * Policies on the wire, and the limits on calls that follow from them.
 *
 * <p>Promises that every answer to a known caller says what is left. Start at {@link
 * gpuaas.gpuaas.policy.CallLimits}.
 */
@NullMarked
package gpuaas.gpuaas.policy;

import org.jspecify.annotations.NullMarked;
