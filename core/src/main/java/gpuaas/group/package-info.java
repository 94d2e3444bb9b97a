/**
 * Leases that were asked for together and are looked at as one thing. Promises that all of them are
 * accepted or none, that each is placed, billed and ended by itself, and that what a group is said
 * to be follows from its leases alone. Start with {@link gpuaas.group.Groups}.
 */
@NullMarked
package gpuaas.group;

import org.jspecify.annotations.NullMarked;
