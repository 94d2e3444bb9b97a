/**
 * The built-in OpenID provider, for machines that have no Keycloak. Answers where a Keycloak realm
 * called {@code gpuaas} would.
 *
 * <p>Promises RS256 tokens, refresh tokens that work once, and that the development users exist on
 * loopback only. Start at {@link gpuaas.idp.IdpDialect}.
 */
@NullMarked
package gpuaas.idp;

import org.jspecify.annotations.NullMarked;
