package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Dialect;
import gpuaas.http.FailedTries;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The token endpoint, the keys and the discovery document of the realm, as OAuth 2 and OpenID say.
 */
public final class IdpDialect implements Dialect {

  private static final String REALM = "/realms/gpuaas";
  private static final String PROTOCOL = REALM + "/protocol/openid-connect";
  private static final int TRIES_PER_MINUTE = 60;
  // Names are remembered for the limit on tries: long ones would fill the memory. And PostgreSQL
  // takes no NUL.
  private static final int USERNAME_LENGTH_MOST = 255;

  private final IdpSettings settings;
  private final Identities identities;
  private final SigningKeys keys;
  private final Tokens tokens;
  private final Ids ids;
  private final InstantSource clock;
  private final FailedTries failedTries;
  private final RateLimits tries = RateLimits.perMinute(TRIES_PER_MINUTE);

  public IdpDialect(
      IdpSettings settings,
      Identities identities,
      SigningKeys keys,
      Tokens tokens,
      FailedTries failedTries,
      Ids ids,
      InstantSource clock) {
    this.failedTries = failedTries;
    this.settings = settings;
    this.identities = identities;
    this.keys = keys;
    this.tokens = tokens;
    this.ids = ids;
    this.clock = clock;
  }

  /**
   * How the provider shows itself.
   *
   * @param baseUrl where it is reached, without a slash at the end
   */
  public record IdpSettings(
      String baseUrl,
      String clientId,
      String clientSecret,
      Duration accessTokenLifetime,
      Duration refreshTokenLifetime) {

    /** The issuer in every token. */
    public String issuer() {
      return baseUrl + REALM;
    }

    @Override
    public String toString() {
      return "IdpSettings[" + issuer() + "]"; // never the secret
    }
  }

  @Override
  public String name() {
    return "idp";
  }

  @Override
  public List<Route> routes() {
    return List.of(
        new Route(
            "POST", PROTOCOL + "/token", Route.Access.PUBLIC, new Route.Handler.Plain(this::token)),
        Route.publicGet(PROTOCOL + "/certs", _ -> Reply.rawJson(200, keys.publicKeys().toString())),
        Route.publicGet(
            REALM + "/.well-known/openid-configuration", _ -> Reply.json(200, discovery())));
  }

  private Reply token(Request request) {
    failedTries.admit(request.remoteAddress());
    Reply reply = tryToken(request);
    if (reply.status() == 401) {
      failedTries.failed(request.remoteAddress());
    }
    return reply;
  }

  private Reply tryToken(Request request) {
    Map<String, String> form = request.form();
    if (!knowsClient(request, form)) {
      return error(401, "invalid_client", "Invalid client or Invalid client credentials");
    }
    String username = form.getOrDefault("username", "");
    if (username.length() > USERNAME_LENGTH_MOST || username.indexOf('\0') >= 0) {
      return error(401, "invalid_grant", "Invalid user credentials");
    }
    try {
      tries.take(request.remoteAddress() + " " + username);
      return switch (form.getOrDefault("grant_type", "")) {
        case "password" ->
            issue(
                identities.checkPassword(username, form.getOrDefault("password", "")),
                "Invalid user credentials");
        case "refresh_token" ->
            issue(
                identities.redeemRefreshToken(form.getOrDefault("refresh_token", "")),
                "Invalid refresh token");
        case "" -> error(400, "invalid_request", "Missing form parameter: grant_type");
        default -> error(400, "unsupported_grant_type", "Unsupported grant_type");
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return error(503, "temporarily_unavailable", "The server is stopping");
    }
  }

  private Reply issue(Optional<Person> found, String otherwise) {
    if (found.isEmpty()) {
      return error(401, "invalid_grant", otherwise);
    }
    Person person = found.get();
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put(
        "access_token",
        tokens.ofPerson(person, ids.next(), clock.instant(), settings.accessTokenLifetime()));
    reply.put("expires_in", settings.accessTokenLifetime().toSeconds());
    reply.put("refresh_expires_in", settings.refreshTokenLifetime().toSeconds());
    reply.put(
        "refresh_token", identities.issueRefreshToken(person, settings.refreshTokenLifetime()));
    reply.put("token_type", "Bearer");
    reply.put("not-before-policy", 0);
    reply.put("scope", "openid profile email");
    return Reply.json(200, reply).with("Cache-Control", "no-store").with("Pragma", "no-cache");
  }

  /** The client's id and secret, in the form or in an Authorization header. */
  private boolean knowsClient(Request request, Map<String, String> form) {
    String id = form.getOrDefault("client_id", "");
    String secret = form.getOrDefault("client_secret", "");
    Optional<String> header =
        request
            .header("authorization")
            .filter(value -> value.regionMatches(true, 0, "Basic ", 0, 6));
    if (header.isPresent()) {
      String[] pair = basic(header.get().substring(6).strip());
      id = pair[0];
      secret = pair[1];
    }
    return id.equals(settings.clientId())
        && MessageDigest.isEqual(secret.getBytes(UTF_8), settings.clientSecret().getBytes(UTF_8));
  }

  private static String[] basic(String encoded) {
    try {
      String[] pair = new String(Base64.getDecoder().decode(encoded), UTF_8).split(":", 2);
      return pair.length == 2 ? pair : new String[] {"", ""};
    } catch (IllegalArgumentException e) {
      return new String[] {"", ""};
    }
  }

  private Map<String, Object> discovery() {
    String protocol = settings.baseUrl() + PROTOCOL;
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("issuer", settings.issuer());
    document.put("token_endpoint", protocol + "/token");
    document.put("jwks_uri", protocol + "/certs");
    document.put("grant_types_supported", List.of("password", "refresh_token"));
    document.put("response_types_supported", List.of());
    document.put("subject_types_supported", List.of("public"));
    document.put("id_token_signing_alg_values_supported", List.of("RS256"));
    document.put(
        "token_endpoint_auth_methods_supported",
        List.of("client_secret_post", "client_secret_basic"));
    document.put("scopes_supported", List.of("openid", "profile", "email"));
    return document;
  }

  private static Reply error(int status, String error, String description) {
    return Reply.json(status, Map.of("error", error, "error_description", description))
        .with("Cache-Control", "no-store");
  }

  @Override
  public Caller authenticate(Request request) {
    throw new Refused(new Refusal.Unauthenticated(Refusal.Unauthenticated.Why.MISSING));
  }

  @Override
  public Reply refused(Refusal refusal, String correlationId) {
    return switch (refusal) {
      case Refusal.RateLimited limited ->
          error(429, "slow_down", "Too many tries")
              .with("Retry-After", Long.toString(limited.retryAfter().toSeconds() + 1));
      case Refusal.NotReady notReady ->
          error(503, "temporarily_unavailable", "Try again")
              .with("Retry-After", Long.toString(notReady.retryAfter().toSeconds()));
      case Refusal.Unauthenticated _ -> error(401, "invalid_token", "Not authenticated");
      default -> error(400, "invalid_request", "The request cannot be read");
    };
  }

  @Override
  public Reply misdirected(int status, String correlationId) {
    return error(
        status,
        status == 404 ? "not_found" : "invalid_request",
        "There is nothing here for this request");
  }

  @Override
  public Reply crashed(String correlationId) {
    return error(500, "server_error", "Something failed here; it is logged as " + correlationId);
  }

  @Override
  public List<String> correlationHeaders() {
    return List.of("X-Correlation-Id");
  }

  @Override
  public List<String> idempotencyHeaders() {
    return List.of();
  }
}
