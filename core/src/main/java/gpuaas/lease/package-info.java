/**
 * A lease: the right to use some GPUs until an end. The product.
 *
 * <p>Promises that there are never two instances for one lease beyond a sweep, that none is ever
 * running that nobody owns, that usage counts only while the lease is running and each second once,
 * and that each lease ends exactly once. {@code LeaseSimulationTest} holds it to that.
 *
 * <p>Start at {@link gpuaas.lease.Lease#on}: the whole life in one switch. Then {@link
 * gpuaas.lease.LeaseReconciler}: who asks the provider, and when.
 */
@NullMarked
package gpuaas.lease;

import org.jspecify.annotations.NullMarked;
