package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.identity.Person;
import gpuaas.identity.ServiceAccount;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Access tokens: who somebody is, for a short time, in a form that any OpenID client reads. */
public final class Tokens {

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

  /** A token of a person. */
  String ofPerson(Person person, UUID id, Instant now, Duration lifetime) {
    List<String> roles = person.admin() ? List.of("admin", "user") : List.of("user");
    return signed(
        claims(person.id(), id, now, lifetime)
            .claim("scope", "openid profile email")
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

  private JWTClaimsSet.Builder claims(UUID subject, UUID id, Instant now, Duration lifetime) {
    return new JWTClaimsSet.Builder()
        .issuer(issuer)
        .subject(subject.toString())
        .audience(List.of(audience, "account"))
        .jwtID(id.toString())
        .issueTime(Date.from(now))
        .expirationTime(Date.from(now.plus(lifetime)))
        .claim("azp", audience)
        .claim("typ", "Bearer");
  }

  private String signed(JWTClaimsSet claims) {
    JWSHeader header =
        new JWSHeader.Builder(JWSAlgorithm.RS256)
            .type(JOSEObjectType.JWT)
            .keyID(keys.key().getKeyID())
            .build();
    SignedJWT token = new SignedJWT(header, claims);
    try {
      token.sign(new RSASSASigner(keys.key()));
    } catch (JOSEException e) {
      throw new IllegalStateException("a token cannot be signed", e);
    }
    return token.serialize();
  }
}
