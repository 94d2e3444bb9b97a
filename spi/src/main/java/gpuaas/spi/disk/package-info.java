/**
 * Disks that outlive instances: an ability that a provider may have.
 *
 * <p>Disks and snapshots are named by the caller, and every call may be made again after a crash:
 * it then finds what the first one did. Whose they are, who may use them, and when they end is the
 * caller's to know. Start at {@link gpuaas.spi.disk.HasDisks}.
 */
@NullMarked
package gpuaas.spi.disk;

import org.jspecify.annotations.NullMarked;
