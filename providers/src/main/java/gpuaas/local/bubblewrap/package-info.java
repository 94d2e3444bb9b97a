/**
 * Environments by {@code bwrap}, for machines without runc or without root: the host's programs
 * under a root folder of their own, in namespaces of an unprivileged user.
 *
 * <p>Promises separate files, processes and network, and no limits. Start at {@link
 * gpuaas.local.bubblewrap.BubblewrapDriver}.
 */
@NullMarked
package gpuaas.local.bubblewrap;

import org.jspecify.annotations.NullMarked;
