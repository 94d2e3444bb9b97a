package gpuaas.idp;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jwt.JWTParser;
import gpuaas.base.Secrets;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.idp.IssuerCalls.Answer;
import gpuaas.idp.IssuerTokens.Outcome;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Sessions;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logging in by another provider, such as a Keycloak. Its tokens open here as they are; whom they
 * name is made known here when they first come.
 */
public final class Issuer implements LogInProvider {

  private static final Logger log = LoggerFactory.getLogger(Issuer.class);
  private static final int KNOWN_MOST = 10_000;
  private static final Duration KNOWN_FOR = Duration.ofMinutes(1);
  private static final Visitor NOBODY_KNOWS = new Visitor("", "");

  private final IssuerSettings settings;
  private final IssuerCalls calls;
  private final IssuerTokens tokens;
  private final Identities identities;
  private final Sessions sessions;
  private final InstantSource clock;

  /** Tokens that were looked at a moment ago, by their hashes: whose they are. */
  private final Map<String, Known> known = new ConcurrentHashMap<>();

  private record Known(UUID person, Instant at) {}

  public Issuer(
      IssuerSettings settings, Identities identities, Sessions sessions, InstantSource clock) {
    this.settings = settings;
    this.calls = new IssuerCalls(settings, clock);
    this.tokens = new IssuerTokens(settings, calls, clock);
    this.identities = identities;
    this.sessions = sessions;
    this.clock = clock;
  }

  /** True for what says that it is of this issuer. */
  boolean claims(String token) {
    return tokens.claims(token);
  }

  /** What a token opens. */
  sealed interface Opens {
    /** All that this person may do. */
    record Person(UUID id, String session) implements Opens {}

    /** Nothing any more. */
    record Expired() implements Opens {}

    /** Nothing. */
    record Nothing() implements Opens {}
  }

  /** What a token opens; refuses with a time while that cannot be known. */
  Opens check(String token) {
    return switch (tokens.check(token)) {
      case Outcome.Good good ->
          person(token, good, NOBODY_KNOWS, good.expiresAt())
              .<Opens>map(person -> new Opens.Person(person, good.session()))
              .orElseGet(Opens.Nothing::new);
      case Outcome.Expired() -> new Opens.Expired();
      case Outcome.Bad() -> new Opens.Nothing();
      case Outcome.Unknown() -> throw IssuerCalls.away();
    };
  }

  private Optional<UUID> person(
      String token, Outcome.Good good, Visitor visitor, Instant sessionEnds) {
    if (sessions.isEnded(good.session(), good.issuedAt())) {
      return Optional.empty();
    }
    String hash = HexFormat.of().formatHex(Secrets.hash(token));
    Instant now = clock.instant();
    Known before = known.get(hash);
    if (before != null && now.isBefore(before.at().plus(KNOWN_FOR))) {
      return Optional.of(before.person());
    }
    Optional<UUID> person =
        identities
            .enter(
                settings.issuer(),
                good.subject(),
                good.name(),
                settings.groupRoles().of(good.groups()))
            .filter(
                they -> sessions.met(they, good.session(), visitor, good.issuedAt(), sessionEnds))
            .map(Person::id);
    if (known.size() > KNOWN_MOST) {
      known.clear();
    }
    person.ifPresent(id -> known.put(hash, new Known(id, now)));
    return person;
  }

  // --- for clients ---

  @Override
  public String authorizeUrl(Ask ask) {
    String endpoint = calls.document().authorization();
    String url =
        endpoint
            + (endpoint.indexOf('?') < 0 ? '?' : '&')
            + "response_type=code&scope=openid%20profile%20email&client_id="
            + IssuerCalls.encoded(settings.clientId())
            + "&redirect_uri="
            + IssuerCalls.encoded(ask.redirectUri())
            + "&state="
            + IssuerCalls.encoded(ask.state())
            + "&code_challenge_method=S256&code_challenge="
            + IssuerCalls.encoded(ask.challenge());
    return url
        + hint("login_hint", ask.loginHint())
        + hint("kc_idp_hint", ask.providerHint()); // Keycloak's; others leave it alone
  }

  private static String hint(String name, Optional<String> hint) {
    return hint.map(text -> "&" + name + "=" + IssuerCalls.encoded(text)).orElse("");
  }

  @Override
  public Optional<Grant> exchange(
      String code, String redirectUri, String verifier, Visitor visitor) {
    return grant(
        Map.of(
            "grant_type", "authorization_code",
            "code", code,
            "redirect_uri", redirectUri,
            "code_verifier", verifier),
        visitor);
  }

  @Override
  public Optional<Grant> refresh(String refreshToken) {
    return grant(Map.of("grant_type", "refresh_token", "refresh_token", refreshToken), NOBODY_KNOWS)
        .filter(grant -> !isOfEnded(grant, refreshToken));
  }

  /** A session that was ended here is not gone on with by what it gave before. */
  private boolean isOfEnded(Grant grant, String refreshToken) {
    if (!(tokens.check(grant.accessToken()) instanceof Outcome.Good good)) {
      return true;
    }
    if (sessions.isEnded(good.session())) {
      return sessions.isEnded(good.session(), issuedAt(refreshToken));
    }
    return false;
  }

  /** When the issuer made it, who has just taken it; what does not say is old. */
  private static Instant issuedAt(String token) {
    try {
      return Optional.ofNullable(JWTParser.parse(token).getJWTClaimsSet().getIssueTime())
          .map(java.util.Date::toInstant)
          .orElse(Instant.EPOCH);
    } catch (ParseException | RuntimeException e) {
      return Instant.EPOCH;
    }
  }

  private Optional<Grant> grant(Map<String, String> form, Visitor visitor) {
    Answer answer;
    try {
      answer = calls.form(calls.document().token(), form);
    } catch (IOException e) {
      log.warn("{} cannot be asked for tokens: {}", settings.issuer(), e.getMessage());
      throw IssuerCalls.away();
    }
    JsonNode json = answer.json();
    if (answer.status() == 400 && json.path("error").asText().equals("invalid_grant")) {
      return Optional.empty();
    }
    if (answer.status() != 200) {
      log.warn(
          "{} gave no tokens: status {}, {}",
          settings.issuer(),
          answer.status(),
          json.path("error").asText().replaceAll("[^a-z_]", "?"));
      throw IssuerCalls.away();
    }
    return grant(json, visitor);
  }

  private Optional<Grant> grant(JsonNode json, Visitor visitor) {
    String token = json.path("access_token").asText();
    Instant now = clock.instant();
    long refreshSeconds = json.path("refresh_expires_in").asLong(0);
    return switch (tokens.check(token)) {
      case Outcome.Good good -> {
        Instant ends = now.plusSeconds(Math.max(refreshSeconds, 0));
        Instant sessionEnds = ends.isAfter(good.expiresAt()) ? ends : good.expiresAt();
        yield person(token, good, visitor, sessionEnds)
            .map(_ ->
                new Grant(
                    token,
                    good.expiresAt(),
                    Duration.between(now, good.expiresAt()),
                    json.path("refresh_token").asText(),
                    Duration.ofSeconds(Math.max(refreshSeconds, 0)),
                    Optional.empty()));
      }
      case Outcome.Unknown() -> throw IssuerCalls.away();
      case Outcome.Expired(), Outcome.Bad() -> {
        log.warn(
            "{} gave an access token that is not for us; should oidc.audience be set?",
            settings.issuer());
        yield Optional.empty();
      }
    };
  }

  @Override
  public void end(String refreshToken) {
    Optional<String> endpoint = calls.document().endSession();
    if (endpoint.isEmpty()) {
      return;
    }
    try {
      calls.form(endpoint.get(), Map.of("refresh_token", refreshToken));
    } catch (IOException e) {
      log.warn("{} was not told of a log-out: {}", settings.issuer(), e.getMessage());
    }
  }
}
