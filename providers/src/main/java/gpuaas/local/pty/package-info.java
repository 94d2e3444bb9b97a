/**
 * Commands of this host as {@link gpuaas.spi.ExecChannel}s, with a real terminal or three pipes.
 *
 * <p>Promises that no stream ever holds a carrier thread of virtual threads (the JDK's own process
 * streams do, for as long as a read waits), and that nothing is left open after close. Start at
 * {@link gpuaas.local.pty.TerminalProcess}; {@code Descriptor} is where threads wait.
 */
@NullMarked
package gpuaas.local.pty;

import org.jspecify.annotations.NullMarked;
