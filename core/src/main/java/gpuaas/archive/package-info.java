/**
 * What outlives an environment on a machine that does not: the files of its home folder, kept by
 * the control plane until the next environment of the same name begins with them.
 *
 * <p>Promises that files are either kept whole or said to be lost, with the reason; and that
 * keeping them never holds up the end of a machine for longer than its limit. Works with every
 * provider that can start a process inside an instance. Start with {@link gpuaas.archive.Archives}.
 */
@NullMarked
package gpuaas.archive;

import org.jspecify.annotations.NullMarked;
