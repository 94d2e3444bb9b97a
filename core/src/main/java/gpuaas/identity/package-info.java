/**
 * Who there is: tenants, projects and people.
 *
 * <p>Promises that passwords are kept as Argon2id hashes only. Start at {@link
 * gpuaas.identity.Identities}.
 */
@NullMarked
package gpuaas.identity;

import org.jspecify.annotations.NullMarked;
