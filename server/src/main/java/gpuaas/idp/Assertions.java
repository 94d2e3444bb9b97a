package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import gpuaas.identity.ServiceAccount;
import gpuaas.identity.ServiceAccount.AccountKey;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.SigningAlgorithm;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;

/**
 * What a service account says of itself, signed: a JSON Web Token by RFC 7523 with {@code iss} and
 * {@code sub} its id, {@code aud} us, {@code iat}, {@code exp}, and the id of its key in the
 * header. The algorithm is the key's, whatever the header wants; an id ({@code jti}) is good once.
 */
public final class Assertions {

  private static final int LENGTH_MOST = 8 * 1024;
  private static final int ID_LENGTH_MOST = 255;

  private final ServiceAccounts accounts;
  private final AssertionRules rules;
  private final InstantSource clock;

  public Assertions(ServiceAccounts accounts, AssertionRules rules, InstantSource clock) {
    this.accounts = accounts;
    this.rules = rules;
    this.clock = clock;
  }

  /**
   * The limits; each is a setting.
   *
   * @param audience must be among the assertion's audiences
   * @param lifetimeMost from {@code iat} to {@code exp}
   * @param skew how far clocks may differ
   * @param tokenLifetime of the tokens that are given for assertions
   */
  public record AssertionRules(
      String audience, Duration lifetimeMost, Duration skew, Duration tokenLifetime) {}

  /** Who proved to be there, by which key. */
  public record Proved(ServiceAccount account, String keyId) {}

  /** How long a token lives that is given for a proof. */
  public Duration tokenLifetime() {
    return rules.tokenLifetime();
  }

  /** Checks an assertion; empty: it proves nothing, for whatever reason. */
  public Optional<Proved> check(String accountId, String assertion) {
    String[] parts = assertion.split("\\.", -1);
    if (assertion.length() > LENGTH_MOST || parts.length != 3) {
      return Optional.empty();
    }
    try {
      JWSHeader header = JWSHeader.parse(new Base64URL(parts[0]));
      JWTClaimsSet claims = JWTClaimsSet.parse(new Base64URL(parts[1]).decodeToString());
      String keyId = header.getKeyID();
      if (keyId == null || keyId.length() > ID_LENGTH_MOST || header.getCriticalParams() != null) {
        return Optional.empty();
      }
      return accounts
          .key(accountId, keyId)
          .filter(key -> isSigned(key, header, parts))
          .filter(_ -> isAbout(accountId, keyId, claims))
          .flatMap(key -> admitted(key, claims));
    } catch (ParseException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static boolean isSigned(AccountKey key, JWSHeader header, String[] parts) {
    Optional<SigningAlgorithm> named = SigningAlgorithm.of(header.getAlgorithm().getName());
    if (named.isEmpty() || !named.equals(key.algorithm())) {
      return false;
    }
    byte[] message = (parts[0] + "." + parts[1]).getBytes(UTF_8);
    return named
        .get()
        .verify(key.publicKey().orElseThrow(), message, new Base64URL(parts[2]).decode());
  }

  private boolean isAbout(String accountId, String keyId, JWTClaimsSet claims) {
    Object keyClaim = claims.getClaim("kid");
    return Objects.equals(claims.getIssuer(), accountId)
        && Objects.equals(claims.getSubject(), accountId)
        && claims.getAudience().contains(rules.audience())
        && (keyClaim == null || keyClaim.equals(keyId))
        && isInTime(claims);
  }

  private boolean isInTime(JWTClaimsSet claims) {
    if (claims.getIssueTime() == null || claims.getExpirationTime() == null) {
      return false;
    }
    Instant issued = claims.getIssueTime().toInstant();
    Instant expires = claims.getExpirationTime().toInstant();
    Instant notBefore =
        claims.getNotBeforeTime() == null ? issued : claims.getNotBeforeTime().toInstant();
    Instant latest = clock.instant().plus(rules.skew());
    Instant earliest = clock.instant().minus(rules.skew());
    return expires.isAfter(issued)
        && Duration.between(issued, expires).compareTo(rules.lifetimeMost()) <= 0
        && !issued.isAfter(latest)
        && !notBefore.isAfter(latest)
        && expires.isAfter(earliest);
  }

  private Optional<Proved> admitted(AccountKey key, JWTClaimsSet claims) {
    Optional<String> jti = Optional.ofNullable(claims.getJWTID());
    if (jti.filter(id -> id.isEmpty() || id.length() > ID_LENGTH_MOST || id.indexOf('\0') >= 0)
        .isPresent()) {
      return Optional.empty();
    }
    Instant forgotten = claims.getExpirationTime().toInstant().plus(rules.skew());
    return accounts.admitted(key, jti, forgotten).map(account -> new Proved(account, key.keyId()));
  }

  /** Checks a secret; empty: it proves nothing. */
  public Optional<Proved> checkSecret(String accountId, String keyId, String secret) {
    return accounts
        .key(accountId, keyId)
        .filter(key -> accounts.isSecret(key, secret))
        .flatMap(key -> accounts.admitted(key, Optional.empty(), clock.instant()))
        .map(account -> new Proved(account, keyId));
  }
}
