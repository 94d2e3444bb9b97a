/**
 * Who may enter an instance, and proof that one can be entered: keys, and the SSH probe.
 *
 * <p>Promises that an {@link gpuaas.access.SshKey} is a key that our gateway accepts, and that a
 * probe ends within its time and never throws for what the other side does. Start at {@link
 * gpuaas.access.SshKey}.
 */
@NullMarked
package gpuaas.access;

import org.jspecify.annotations.NullMarked;
