/**
 * Policies: numbers that administrators set, for all, for a tenant or for a project.
 *
 * <p>Promises that asking for a value needs no database, and that no tenant allows itself more than
 * the platform does. Start at {@link gpuaas.policy.PolicyDefinition} and {@link
 * gpuaas.policy.Policies}.
 */
@NullMarked
package gpuaas.policy;

import org.jspecify.annotations.NullMarked;
