package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.MalformedURLException;
import java.net.URI;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Access tokens of the other provider: signed by a key of its, for us, and not too old. Its keys
 * are kept; an unknown one makes us ask again, but not often.
 */
final class IssuerTokens {

  private static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(JWSAlgorithm.RS256, JWSAlgorithm.PS256, JWSAlgorithm.ES256);
  private static final Duration SKEW = Duration.ofSeconds(30);
  private static final int TEXT_LENGTH_MOST = 255;
  private static final int GROUPS_MOST = 1000;

  private final IssuerSettings settings;
  private final InstantSource clock;
  private final DefaultJWTProcessor<SecurityContext> signatures = new DefaultJWTProcessor<>();

  IssuerTokens(IssuerSettings settings, IssuerCalls calls, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
    signatures.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, keys(calls)));
    signatures.setJWTClaimsSetVerifier((_, _) -> {}); // looked at here, by our clock
  }

  private JWKSource<SecurityContext> keys(IssuerCalls calls) {
    try {
      // The address stands for wherever its document says that the keys are.
      return JWKSourceBuilder.<SecurityContext>create(
              URI.create(settings.issuer()).toURL(),
              _ -> new Resource(calls.keys(), "application/json"))
          .cache(
              settings.documentsLast().toMillis(), settings.callLimit().multipliedBy(3).toMillis())
          .refreshAheadCache(false)
          .rateLimited(settings.refreshPause().toMillis())
          .outageTolerant(settings.outageLast().toMillis())
          .build();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("oidc.issuer is not an address", e);
    }
  }

  /** What a token is found to be. */
  sealed interface Outcome {
    /**
     * Somebody's.
     *
     * @param session as we call it
     */
    record Good(
        String subject,
        String name,
        String session,
        Instant issuedAt,
        Instant expiresAt,
        List<String> groups)
        implements Outcome {}

    /** It was good. */
    record Expired() implements Outcome {}

    /** It is none of the issuer's for us. */
    record Bad() implements Outcome {}

    /** Its keys are not known, and cannot be had. */
    record Unknown() implements Outcome {}
  }

  /** True for what says that it is of this issuer; nothing is checked. */
  boolean claims(String token) {
    try {
      return settings.issuer().equals(JWTParser.parse(token).getJWTClaimsSet().getIssuer());
    } catch (ParseException | RuntimeException e) {
      return false;
    }
  }

  Outcome check(String token) {
    try {
      JWTClaimsSet claims = signatures.process(token, null);
      return checked(claims);
    } catch (RateLimitReachedException e) {
      return new Outcome.Bad();
    } catch (KeySourceException e) {
      return new Outcome.Unknown();
    } catch (ParseException | BadJOSEException | JOSEException | RuntimeException e) {
      return new Outcome.Bad();
    }
  }

  private Outcome checked(JWTClaimsSet claims) throws ParseException {
    Optional<Instant> expires = time(claims.getExpirationTime());
    Optional<Instant> issued = time(claims.getIssueTime());
    Instant now = clock.instant();
    Optional<String> subject = text(claims, "sub");
    if (!settings.issuer().equals(claims.getIssuer())
        || expires.isEmpty()
        || issued.isEmpty()
        || subject.isEmpty()
        || issued.get().isAfter(now.plus(SKEW))
        || time(claims.getNotBeforeTime()).filter(at -> at.isAfter(now.plus(SKEW))).isPresent()
        || isIdToken(claims)
        || !isForUs(claims)) {
      return new Outcome.Bad();
    }
    if (!now.isBefore(expires.get())) {
      return new Outcome.Expired();
    }
    String session =
        text(claims, "sid")
            .or(() -> text(claims, "jti"))
            .orElse(subject.get() + " " + issued.get().getEpochSecond());
    return new Outcome.Good(
        subject.get(),
        text(claims, "preferred_username").or(() -> text(claims, "email")).orElse(subject.get()),
        "oidc " + session.substring(0, Math.min(TEXT_LENGTH_MOST, session.length())),
        issued.get(),
        expires.get(),
        groups(claims));
  }

  /** It says to a client who somebody is, and opens nothing. */
  private static boolean isIdToken(JWTClaimsSet claims) {
    return "ID".equals(claims.getClaim("typ"))
        || claims.getClaim("at_hash") != null
        || claims.getClaim("nonce") != null;
  }

  private boolean isForUs(JWTClaimsSet claims) {
    return settings
        .audience()
        .map(claims.getAudience()::contains)
        .orElseGet(() ->
            claims.getAudience().contains(settings.clientId())
                || settings.clientId().equals(claims.getClaim("azp")));
  }

  private List<String> groups(JWTClaimsSet claims) {
    return claims.getClaim(settings.groupsClaim()) instanceof List<?> list
        ? list.stream()
            .limit(GROUPS_MOST)
            .filter(String.class::isInstance)
            .map(String.class::cast)
            .map(group -> group.startsWith("/") ? group.substring(1) : group)
            .toList()
        : List.of();
  }

  private static Optional<Instant> time(@Nullable Date date) {
    return Optional.ofNullable(date).map(Date::toInstant);
  }

  private static Optional<String> text(JWTClaimsSet claims, String name) {
    return claims.getClaim(name) instanceof String text
            && !text.isBlank()
            && text.length() <= TEXT_LENGTH_MOST
            && text.indexOf('\0') < 0
        ? Optional.of(text.strip())
        : Optional.empty();
  }
}
