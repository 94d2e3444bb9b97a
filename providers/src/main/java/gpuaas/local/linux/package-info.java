/**
 * The few Linux system calls that Java does not offer, made directly: no helper process is started
 * for a mount, a signal or a look into another network namespace.
 *
 * <p>Promises that a failure carries the call and the kernel's reason. Start at {@link
 * gpuaas.local.linux.SystemCalls}.
 */
@NullMarked
package gpuaas.local.linux;

import org.jspecify.annotations.NullMarked;
