/**
 * The way from a browser to a declared port of a running lease: HTTP/1.1 and WebSockets, forwarded
 * to the instance's own loopback and to nothing else.
 *
 * <p>Promises that nobody gets through without the lease's token, that our secrets never get into a
 * lease, that bodies of any size pass without being kept, and that what is ambiguous is refused
 * instead of forwarded. Start at {@link gpuaas.proxy.ProxyServer}, then {@link
 * gpuaas.proxy.Exchange}.
 */
@NullMarked
package gpuaas.proxy;

import org.jspecify.annotations.NullMarked;
