/**
 * The log-in of the GPU Dev API: who somebody is, proved by AWS (with credentials, or better with a
 * request signed in advance) or by an OIDC token; and a small STS of our own for development.
 *
 * <p>Promises that no secret is ever logged, kept or returned, that nothing a visitor says chooses
 * where we send a request, and that every wait and every size has an end. Keeps nothing: users and
 * keys are somebody else's. Start at {@link gpuaas.gpudev.login.LogIns}.
 */
@NullMarked
package gpuaas.gpudev.login;

import org.jspecify.annotations.NullMarked;
