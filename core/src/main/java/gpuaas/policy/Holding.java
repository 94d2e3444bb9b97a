package gpuaas.policy;

import gpuaas.policy.PolicyValue.Slot;
import java.util.Optional;

/**
 * What holds somewhere, and where that comes from.
 *
 * @param allowed the most that a tenant's administrators could set there
 * @param from empty: nobody set anything, it is the default
 */
public record Holding(PolicyDefinition definition, long value, long allowed, Optional<Slot> from) {}
