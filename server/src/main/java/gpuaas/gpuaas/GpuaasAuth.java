package gpuaas.gpuaas;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import gpuaas.base.Caller;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.http.Request;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import java.text.ParseException;
import java.time.InstantSource;
import java.util.Date;
import java.util.Set;
import java.util.UUID;

/**
 * Who asks: a bearer token of the identity provider, signed with RS256 by a key that we know, or an
 * API key.
 */
public final class GpuaasAuth {

  private static final int TOKEN_LENGTH_MOST = 16 * 1024;

  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final Identities identities;
  private final ApiKeys apiKeys;

  /**
   * @param issuer the only issuer accepted
   * @param audience must be among the token's audiences
   */
  public GpuaasAuth(
      JWKSet keys,
      String issuer,
      String audience,
      Identities identities,
      ApiKeys apiKeys,
      InstantSource clock) {
    this.identities = identities;
    this.apiKeys = apiKeys;
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, new ImmutableJWKSet<>(keys)));
    DefaultJWTClaimsVerifier<SecurityContext> claims =
        new DefaultJWTClaimsVerifier<>(
            audience,
            new JWTClaimsSet.Builder().issuer(issuer).build(),
            Set.of("sub", "exp", "iat", "jti")) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        };
    processor.setJWTClaimsSetVerifier(claims);
  }

  Caller caller(Request request) {
    String header = request.header("authorization").orElseThrow(() -> refused(Why.MISSING));
    if (!header.regionMatches(true, 0, "Bearer ", 0, 7) || header.length() > TOKEN_LENGTH_MOST) {
      throw refused(Why.INVALID);
    }
    String token = header.substring(7).strip();
    if (ApiKeys.looksLikeOne(token)) {
      return apiKeys.caller(token, request.correlationId());
    }
    UUID subject = subject(token);
    return identities
        .find(subject)
        .orElseThrow(() -> refused(Why.INVALID))
        .caller(request.correlationId());
  }

  private UUID subject(String token) {
    try {
      return UUID.fromString(processor.process(token, null).getSubject());
    } catch (ExpiredJWTException e) {
      throw refused(Why.EXPIRED);
    } catch (BadJWTException e) {
      throw refused(Why.INVALID);
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      throw refused(Why.INVALID);
    }
  }

  private static Refused refused(Why why) {
    return new Refused(new Unauthenticated(why));
  }
}
