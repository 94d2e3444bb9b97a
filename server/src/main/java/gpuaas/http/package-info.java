/**
 * HTTP, once, for all dialects: listeners, routes, and the way of a request through limits,
 * authentication, idempotency and errors.
 *
 * <p>Promises that whatever comes in, an answer in the dialect's own words goes out. Only {@link
 * gpuaas.http.HttpServer} knows the server library. Start at {@link gpuaas.http.Dialect} and {@link
 * gpuaas.http.Pipeline}.
 */
@NullMarked
package gpuaas.http;

import org.jspecify.annotations.NullMarked;
