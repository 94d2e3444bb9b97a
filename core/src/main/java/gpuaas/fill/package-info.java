/**
 * How full disks are that are in use, and the room for all of them. Promises that whoever works in
 * an environment is told before its disk is full, once for each threshold, and that an operator is
 * told when the room is short. Start with {@link gpuaas.fill.FillWatch}.
 */
@NullMarked
package gpuaas.fill;

import org.jspecify.annotations.NullMarked;
