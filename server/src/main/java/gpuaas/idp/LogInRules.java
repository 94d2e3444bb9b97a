package gpuaas.idp;

import gpuaas.session.PasswordTries.TryRules;
import gpuaas.session.SessionRules;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What logging in is held to; each is a setting.
 *
 * @param redirectUris where the log-in page may send people to, beside this machine's own programs
 * @param personal whether a name and a password are enough for the API, and whether anybody may
 *     make themselves an account
 * @param personalPerMinute sign-ins and sign-ups of one address
 * @param recheckEvery how soon a session is over here that ended on another server
 * @param signingKeyAge how old a key gets before another signs
 * @param issuer another provider that lets people in, in place of the log-in page
 */
public record LogInRules(
    SessionRules sessions,
    TryRules tries,
    List<String> redirectUris,
    boolean personal,
    int passwordLengthLeast,
    int personalPerMinute,
    Duration recheckEvery,
    Duration signingKeyAge,
    Optional<IssuerSettings> issuer) {
  public LogInRules {
    redirectUris = List.copyOf(redirectUris);
  }
}
