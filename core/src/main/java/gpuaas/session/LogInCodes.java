package gpuaas.session;

import static java.nio.charset.StandardCharsets.US_ASCII;

import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Session.Way;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Codes that a log-in page gives a browser. Each is exchanged once, soon, by the client it was
 * given to, at the address it was sent to, with the verifier of its challenge (RFC 7636, S256).
 */
public final class LogInCodes {

  /** What a verifier looks like. */
  public static final Pattern VERIFIER = Pattern.compile("[A-Za-z0-9._~-]{43,128}");

  /** What a challenge looks like: a SHA-256 in base64url. */
  public static final Pattern CHALLENGE = Pattern.compile("[A-Za-z0-9_-]{43}");

  private final Database database;
  private final Sessions sessions;
  private final InstantSource clock;
  private final SessionRules rules;

  public LogInCodes(Database database, Sessions sessions, InstantSource clock, SessionRules rules) {
    this.database = database;
    this.sessions = sessions;
    this.clock = clock;
    this.rules = rules;
  }

  /** What a code is given for. */
  public record Asked(
      UUID person,
      String clientId,
      String redirectUri,
      String challenge,
      Optional<String> nonce,
      String scope) {}

  /** What a code was exchanged for. */
  public record Exchanged(Sessions.Going going, Asked asked) {}

  /** A new code. */
  public String give(Asked asked) {
    String code = Secrets.token();
    Instant now = clock.instant();
    database.run(tx ->
        LogInCodeStore.add(tx, Secrets.hash(code), asked, now, now.plus(rules.codeLifetime())));
    return code;
  }

  /**
   * Begins a session by a code. A wrong try uses the code up; a second use ends the session of the
   * first. Empty: it is no good, for whatever reason.
   */
  public Optional<Exchanged> exchange(
      String code, String clientId, String redirectUri, String verifier, Visitor visitor) {
    byte[] hash = Secrets.hash(code);
    Optional<Taken> taken =
        database.tx(tx ->
            take(tx, hash)
                .filter(it -> it.clientId().equals(clientId))
                .filter(it -> it.redirectUri().equals(redirectUri))
                .filter(it -> isVerified(it.challenge(), verifier))
                .map(it -> begin(tx, hash, it, visitor)));
    return taken.flatMap(
        it -> sessions.going(it.begun()).map(going -> new Exchanged(going, it.asked())));
  }

  private record Taken(Sessions.Begun begun, Asked asked) {}

  private Taken begin(Tx tx, byte[] hash, Asked asked, Visitor visitor) {
    Sessions.Begun begun = sessions.begin(tx, asked.person(), Way.OIDC, visitor);
    LogInCodeStore.gave(tx, hash, begun.session().id());
    return new Taken(begun, asked);
  }

  private Optional<Asked> take(Tx tx, byte[] hash) {
    Optional<Asked> asked = LogInCodeStore.take(tx, hash, clock.instant());
    if (asked.isEmpty()) {
      LogInCodeStore.sessionOf(tx, hash)
          .ifPresent(id -> sessions.end(tx, id, Optional.empty(), "code used twice"));
    }
    return asked;
  }

  private static boolean isVerified(String challenge, String verifier) {
    return VERIFIER.matcher(verifier).matches()
        && MessageDigest.isEqual(
            challenge.getBytes(US_ASCII), challenge(verifier).getBytes(US_ASCII));
  }

  /** The challenge of a verifier. */
  public static String challenge(String verifier) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(Secrets.hash(verifier));
  }
}
