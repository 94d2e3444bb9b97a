package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import java.text.ParseException;
import java.time.InstantSource;
import java.util.Date;
import java.util.Set;
import java.util.UUID;

/** Whose an access token is: signed with RS256 by a key of ours, for us, and not too old. */
public final class TokenCheck {

  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

  /**
   * @param issuer the only issuer accepted
   * @param audience must be among the token's audiences
   */
  public TokenCheck(JWKSet keys, String issuer, String audience, InstantSource clock) {
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, new ImmutableJWKSet<>(keys)));
    processor.setJWTClaimsSetVerifier(
        new DefaultJWTClaimsVerifier<>(
            audience,
            new JWTClaimsSet.Builder().issuer(issuer).build(),
            Set.of("sub", "exp", "iat", "jti")) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        });
  }

  /** What a token is found to be. */
  sealed interface Outcome {
    /** Of a person. */
    record OfPerson(UUID person) implements Outcome {}

    /** Of a service account, got by this key. */
    record OfAccount(UUID account, String keyId) implements Outcome {}

    /** It was good. */
    record Expired() implements Outcome {}

    /** It is none of ours. */
    record Bad() implements Outcome {}
  }

  /** True for what has the form of a token; API keys have none of its dots. */
  static boolean looksLikeOne(String credential) {
    return credential.startsWith("ey") && credential.chars().filter(c -> c == '.').count() == 2;
  }

  Outcome check(String token) {
    try {
      JWTClaimsSet claims = processor.process(token, null);
      UUID subject = UUID.fromString(claims.getSubject());
      String keyId = claims.getStringClaim(Tokens.ACCOUNT_KEY);
      return keyId == null ? new Outcome.OfPerson(subject) : new Outcome.OfAccount(subject, keyId);
    } catch (ExpiredJWTException e) {
      return new Outcome.Expired();
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      return new Outcome.Bad();
    }
  }
}
