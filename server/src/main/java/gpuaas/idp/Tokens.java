package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.base.Caller;
import gpuaas.identity.Person;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Access tokens: who somebody is, for a short time, in a form that any OpenID client reads. */
final class Tokens {

  private final SigningKeys keys;
  private final String issuer;
  private final String audience;
  private final Duration lifetime;

  Tokens(SigningKeys keys, String issuer, String audience, Duration lifetime) {
    this.keys = keys;
    this.issuer = issuer;
    this.audience = audience;
    this.lifetime = lifetime;
  }

  Duration lifetime() {
    return lifetime;
  }

  String accessToken(Person person, UUID id, Instant now) {
    List<String> roles =
        person.roles().stream()
            .map(Caller.Role::name)
            .map(name -> name.toLowerCase(Locale.ROOT))
            .sorted()
            .toList();
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder()
            .issuer(issuer)
            .subject(person.id().toString())
            .audience(List.of(audience, "account"))
            .jwtID(id.toString())
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plus(lifetime)))
            .claim("azp", audience)
            .claim("typ", "Bearer")
            .claim("scope", "openid profile email")
            .claim("preferred_username", person.username())
            .claim("realm_access", Map.of("roles", roles))
            .build();
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
