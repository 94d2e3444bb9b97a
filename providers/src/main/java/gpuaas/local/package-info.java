/**
 * The provider that makes this very machine rentable: an environment is a container on it.
 *
 * <p>Promises that a GPU has one holder, that environments outlive the server's process and are
 * found again by the next one, that nothing is left of an environment that was destroyed, and that
 * what is claimed of isolation and limits was proved here. Start at {@link
 * gpuaas.local.LocalProvider}; everything that needs privileges is behind {@link
 * gpuaas.local.Driver}.
 */
@NullMarked
package gpuaas.local;

import org.jspecify.annotations.NullMarked;
