/**
 * Who waits, and whose turn it is.
 *
 * <p>Promises that nobody is overtaken to his harm: who is at the head of the line begins no later
 * because others begin before him, and the members of a gang begin together or not at all. Start at
 * {@link gpuaas.queue.Line}, which decides, and {@link gpuaas.queue.Queue}, which reads and writes.
 */
@NullMarked
package gpuaas.queue;

import org.jspecify.annotations.NullMarked;
