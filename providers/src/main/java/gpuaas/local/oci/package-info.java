/**
 * Environments as OCI containers: our own bundle, started by {@code runc}; no daemon in between.
 *
 * <p>Promises a user namespace, a system call filter, a network of its own, and limits that hold
 * for everything in an environment. Start at {@link gpuaas.local.oci.RuncDriver}.
 */
@NullMarked
package gpuaas.local.oci;

import org.jspecify.annotations.NullMarked;
