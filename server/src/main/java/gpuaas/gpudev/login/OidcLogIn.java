package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

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
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.text.ParseException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Log-in by an OIDC token: signed by a key of the issuer (RS256 or ES256), for us, and not expired.
 * The issuer's keys are kept for a while; an unknown key makes us ask again, but not often.
 */
public final class OidcLogIn implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OidcLogIn.class);
  private static final int TOKEN_LENGTH_MOST = 32 * 1024;
  private static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(JWSAlgorithm.RS256, JWSAlgorithm.ES256);

  private final LogInSettings.Oidc settings;
  private final InstantSource clock;
  private final BoundedHttp http;
  private final DefaultJWTProcessor<SecurityContext> signatures = new DefaultJWTProcessor<>();

  public OidcLogIn(LogInSettings.Oidc settings, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
    this.http = new BoundedHttp(settings.limit(), settings.limit(), settings.keysBytesMost());
    signatures.setJWSKeySelector(
        new JWSVerificationKeySelector<SecurityContext>(ALGORITHMS, keys(settings)));
    // The claims are looked at here, by our clock and in our words.
    signatures.setJWTClaimsSetVerifier((_, _) -> {});
  }

  private JWKSource<SecurityContext> keys(LogInSettings.Oidc settings) {
    try {
      return JWKSourceBuilder.<SecurityContext>create(settings.keysUri().toURL(), this::fetched)
          .cache(settings.keysLast().toMillis(), settings.limit().multipliedBy(2).toMillis())
          .refreshAheadCache(false)
          .rateLimited(settings.refreshPause().toMillis())
          .outageTolerant(settings.keysOutageLast().toMillis())
          .build();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("the place of the OIDC keys is not an address", e);
    }
  }

  private Resource fetched(URL url) throws IOException {
    HttpResponse<byte[]> answer =
        http.send(HttpRequest.newBuilder(URI.create(url.toString())).GET().build());
    if (answer.statusCode() != 200) {
      throw new IOException("status " + answer.statusCode());
    }
    return new Resource(new String(answer.body(), UTF_8), "application/json");
  }

  /** Whose token it is. Asks the issuer for its keys when they are not known. */
  public LogInAnswer visitor(String idToken) {
    if (idToken.length() > TOKEN_LENGTH_MOST) {
      return invalid("it is too long");
    }
    SignedJWT token;
    try {
      token = SignedJWT.parse(idToken);
    } catch (ParseException | RuntimeException e) {
      return invalid("it is not a signed JWT");
    }
    if (!ALGORITHMS.contains(token.getHeader().getAlgorithm())) {
      return invalid("it must be signed with RS256 or ES256");
    }
    try {
      JWTClaimsSet claims = signatures.process(token, null);
      return refusal(claims).<LogInAnswer>map(no -> no).orElseGet(() -> visitor(claims));
    } catch (RateLimitReachedException e) {
      return invalid("the issuer's keys were asked for just now, and its key was not among them");
    } catch (KeySourceException e) {
      LOG.warn("the OIDC keys at {} cannot be had: {}", settings.keysUri(), e.getMessage());
      return new Denied(500, "Failed to verify the OIDC token");
    } catch (BadJWTException e) {
      return invalid("its claims cannot be read");
    } catch (BadJOSEException | JOSEException e) {
      return invalid("its signature is not by a key of the issuer");
    } catch (RuntimeException odd) {
      LOG.warn("an OIDC token could not be looked at: {}", odd.getClass().getSimpleName());
      return invalid("it cannot be read");
    }
  }

  private Optional<Denied> refusal(JWTClaimsSet claims) {
    Instant now = clock.instant();
    if (!settings.issuer().equals(claims.getIssuer())) {
      return Optional.of(invalid("it is of another issuer"));
    }
    if (settings.audience().isPresent()
        && !claims.getAudience().contains(settings.audience().get())) {
      return Optional.of(invalid("it is for another audience"));
    }
    Optional<Instant> expires = time(claims.getExpirationTime());
    if (expires.isEmpty()) {
      return Optional.of(invalid("it has no exp"));
    }
    if (!now.isBefore(expires.get().plus(settings.leeway()))) {
      return Optional.of(new Denied(401, "OIDC token has expired"));
    }
    if (time(claims.getNotBeforeTime())
        .filter(start -> now.isBefore(start.minus(settings.leeway())))
        .isPresent()) {
      return Optional.of(invalid("it is not valid yet"));
    }
    return Optional.empty();
  }

  private static Optional<Instant> time(@Nullable Date date) {
    return Optional.ofNullable(date).map(Date::toInstant);
  }

  /** By what the issuer prefers, else by mail, else by subject. */
  private static LogInAnswer visitor(JWTClaimsSet claims) {
    return text(claims, "preferred_username")
        .or(() -> mailbox(claims))
        .or(() -> text(claims, "sub"))
        .flatMap(Usernames::clean)
        .<LogInAnswer>map(username -> new Visitor(username, Optional.empty()))
        .orElseGet(() -> invalid("it names nobody"));
  }

  /** An address that the issuer says it has not checked may be anybody's. */
  private static Optional<String> mailbox(JWTClaimsSet claims) {
    Object verified = claims.getClaim("email_verified");
    if (Boolean.FALSE.equals(verified) || "false".equals(verified)) {
      return Optional.empty();
    }
    return text(claims, "email")
        .map(mail -> mail.indexOf('@') < 0 ? mail : mail.substring(0, mail.indexOf('@')))
        .filter(name -> !name.isBlank());
  }

  private static Optional<String> text(JWTClaimsSet claims, String name) {
    return claims.getClaim(name) instanceof String text && !text.isBlank()
        ? Optional.of(text.strip())
        : Optional.empty();
  }

  private static Denied invalid(String why) {
    return new Denied(401, "Invalid OIDC token: " + why);
  }

  @Override
  public void close() {
    http.close();
  }
}
