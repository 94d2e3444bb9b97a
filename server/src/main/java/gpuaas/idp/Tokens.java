package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.identity.Person;
import gpuaas.identity.ServiceAccount;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Access tokens: who somebody is, for a short time, in a form that any OpenID client reads. */
public final class Tokens {

  /** The claim that names the session. */
  static final String SESSION = "sid";

  /** The claim that says what a token is for. */
  static final String KIND = "typ";

  static final String ACCESS = "Bearer";
  static final String ID = "ID";

  /** The claim that names the key of a service account by which a token was got. */
  static final String ACCOUNT_KEY = "gpuaas_key";

  private final SigningKeys keys;
  private final String issuer;
  private final String audience;

  public Tokens(SigningKeys keys, String issuer, String audience) {
    this.keys = keys;
    this.issuer = issuer;
    this.audience = audience;
  }

  /** A token of a person, good as long as the session is. */
  String ofPerson(Person person, String session, UUID id, Instant now, Duration lifetime) {
    List<String> roles = person.admin() ? List.of("admin", "user") : List.of("user");
    return signed(
        claims(person.id(), id, now, lifetime)
            .claim("scope", "openid profile email")
            .claim(SESSION, session)
            .claim("preferred_username", person.username())
            .claim("realm_access", Map.of("roles", roles))
            .build());
  }

  /** A token of a service account, good as long as the key is by which it was got. */
  public String ofAccount(
      ServiceAccount account, String keyId, UUID id, Instant now, Duration lifetime) {
    return signed(
        claims(account.id(), id, now, lifetime)
            .claim("preferred_username", account.accountId())
            .claim("sa_id", account.accountId())
            .claim(ACCOUNT_KEY, keyId)
            .build());
  }

  /** A session, since when, and what its client wanted to find again. */
  record LoggedIn(String session, Instant at, Optional<String> nonce) {}

  /** What tells the client who logged in. It opens nothing. */
  String idToken(Person person, LoggedIn loggedIn, Instant now, Duration lifetime) {
    JWTClaimsSet.Builder claims =
        new JWTClaimsSet.Builder()
            .issuer(issuer)
            .subject(person.id().toString())
            .audience(audience)
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plus(lifetime)))
            .claim("azp", audience)
            .claim(KIND, ID)
            .claim(SESSION, loggedIn.session())
            .claim("auth_time", loggedIn.at().getEpochSecond())
            .claim("preferred_username", person.username())
            .claim("name", person.username());
    loggedIn.nonce().ifPresent(nonce -> claims.claim("nonce", nonce));
    return signed(claims.build());
  }

  private JWTClaimsSet.Builder claims(UUID subject, UUID id, Instant now, Duration lifetime) {
    return new JWTClaimsSet.Builder()
        .issuer(issuer)
        .subject(subject.toString())
        .audience(List.of(audience, "account"))
        .jwtID(id.toString())
        .issueTime(Date.from(now))
        .expirationTime(Date.from(now.plus(lifetime)))
        .claim("azp", audience)
        .claim(KIND, ACCESS);
  }

  private String signed(JWTClaimsSet claims) {
    RSAKey key = keys.key();
    JWSHeader header =
        new JWSHeader.Builder(JWSAlgorithm.RS256)
            .type(JOSEObjectType.JWT)
            .keyID(key.getKeyID())
            .build();
    SignedJWT token = new SignedJWT(header, claims);
    try {
      token.sign(new RSASSASigner(key));
    } catch (JOSEException e) {
      throw new IllegalStateException("a token cannot be signed", e);
    }
    return token.serialize();
  }
}
