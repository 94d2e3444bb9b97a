/**
 * Disks of people: named, kept by a provider, the home folder of one lease at a time, with
 * snapshots.
 *
 * <p>Promises that a disk is held by exactly the lease that has not ended and names it, so that
 * nothing can leave one stuck in use; and that what is asked of a disk is done, or says why not.
 * Start with {@link gpuaas.disk.Disks}.
 */
@NullMarked
package gpuaas.disk;

import org.jspecify.annotations.NullMarked;
