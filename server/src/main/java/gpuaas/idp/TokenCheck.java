package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import java.text.ParseException;
import java.time.InstantSource;
import java.util.Date;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Whose an access token is: signed with RS256 by a key of ours, for us, and not too old. */
public final class TokenCheck {

  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final DefaultJWTProcessor<SecurityContext> timeless = new DefaultJWTProcessor<>();

  /**
   * @param issuer the only issuer accepted
   * @param audience must be among the token's audiences
   */
  public TokenCheck(SigningKeys keys, String issuer, String audience, InstantSource clock) {
    JWKSource<SecurityContext> source = (selector, _) -> selector.select(keys.publicKeys(selector));
    JWSVerificationKeySelector<SecurityContext> selector =
        new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, source);
    processor.setJWSKeySelector(selector);
    // Who wants to log out may do so when the token has expired that says who they are.
    timeless.setJWSKeySelector(selector);
    timeless.setJWTClaimsSetVerifier((claims, _) -> {
      if (!issuer.equals(claims.getIssuer()) || !claims.getAudience().contains(audience)) {
        throw new BadJWTException("a token of another");
      }
    });
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
    /** Of a person, logged in by this session. */
    record OfPerson(UUID person, String session) implements Outcome {}

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
      if (keyId != null) {
        return new Outcome.OfAccount(subject, keyId);
      }
      String session = claims.getStringClaim(Tokens.SESSION);
      return session == null || !Tokens.ACCESS.equals(claims.getStringClaim(Tokens.KIND))
          ? new Outcome.Bad()
          : new Outcome.OfPerson(subject, session);
    } catch (ExpiredJWTException e) {
      return new Outcome.Expired();
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      return new Outcome.Bad();
    }
  }

  /** Somebody, and a session of theirs. */
  record Named(UUID person, String session) {}

  /** What a token of ours names that said to a client who logged in, however old it is. */
  Optional<Named> idToken(String token) {
    try {
      JWTClaimsSet claims = timeless.process(token, null);
      String session = claims.getStringClaim(Tokens.SESSION);
      return session == null || !Tokens.ID.equals(claims.getStringClaim(Tokens.KIND))
          ? Optional.empty()
          : Optional.of(new Named(UUID.fromString(claims.getSubject()), session));
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
