/**
 * The program: settings, wiring and commands.
 *
 * <p>Promises that reading {@link gpuaas.main.Wiring} is reading the system: it is the only place
 * that sees everything. Start there.
 */
@NullMarked
package gpuaas.main;

import org.jspecify.annotations.NullMarked;
