/**
 * Instances that work together: members of a gang, which reach each other by name.
 *
 * <p>Promises that a provider that says {@link gpuaas.spi.gang.HasGangs} connects the members of a
 * gang with each other, whatever nodes they are on. Start at {@link gpuaas.spi.gang.Membership}.
 */
@NullMarked
package gpuaas.spi.gang;

import org.jspecify.annotations.NullMarked;
