/**
 * Who is logged in where: sessions, their refresh tokens, the codes that begin them, and wrong
 * passwords.
 *
 * <p>Promises that a code and a refresh token work once, that the second use of either ends the
 * session, and that all servers know of an ended session within {@code session.recheck-every}.
 * Start at {@link gpuaas.session.Sessions}.
 */
@NullMarked
package gpuaas.session;

import org.jspecify.annotations.NullMarked;
