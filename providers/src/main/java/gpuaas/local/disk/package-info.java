/**
 * Disks of this machine that outlive environments.
 *
 * <p>On a pool of btrfs in one file where that was proved to work, with sizes that are held to; in
 * plain folders elsewhere, which hold nothing to its size and say so. What is half made is apart
 * from what is there, and is thrown away when the pool is opened. Who has a disk attached is known
 * from the environments' folders alone. Start at {@link gpuaas.local.disk.LocalDisks}.
 */
@NullMarked
package gpuaas.local.disk;

import org.jspecify.annotations.NullMarked;
