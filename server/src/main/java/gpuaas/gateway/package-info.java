/**
 * The way into an instance, for every provider that can start a process there: SSH, and terminals
 * in a browser.
 *
 * <p>Promises that nobody gets further than the instance whose key they hold: no command runs on
 * this host, no connection starts from it, and no name tells whether a lease exists. Start at
 * {@link gpuaas.gateway.SshGateway}; {@code LeaseCommand} is where bytes flow.
 */
@NullMarked
package gpuaas.gateway;

import org.jspecify.annotations.NullMarked;
