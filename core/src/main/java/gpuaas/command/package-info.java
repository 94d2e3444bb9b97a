/**
 * What a lease runs by itself: one command of its user's, begun when its environment answers, with
 * what it writes kept beyond the environment's end.
 *
 * <p>Promises that a command is begun once, whatever becomes of the control plane meanwhile; that
 * its output is kept in order and without gaps, up to a limit that is said when it is reached; and
 * that its exit code is the one it had. Works with every provider that can start a process inside
 * an instance. Start with {@link gpuaas.command.Commands}.
 */
@NullMarked
package gpuaas.command;

import org.jspecify.annotations.NullMarked;
