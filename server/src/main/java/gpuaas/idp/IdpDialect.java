package gpuaas.idp;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.http.Dialect;
import gpuaas.http.FailedTries;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The built-in provider as OAuth 2 and OpenID Connect say: the log-in page, the token endpoint, the
 * keys and the discovery document of the realm.
 */
public final class IdpDialect implements Dialect {

  static final String REALM = "/realms/gpuaas";
  static final String PROTOCOL = REALM + "/protocol/openid-connect";
  private static final int TRIES_PER_MINUTE = 60;

  private final IdpSettings settings;
  private final SigningKeys keys;
  private final Credentials credentials;
  private final List<Route> routes;

  public IdpDialect(Admittance admittance, FailedTries failedTries) {
    this.settings = admittance.settings();
    this.keys = admittance.keys();
    this.credentials = admittance.credentials();
    RateLimits tries = RateLimits.perMinute(TRIES_PER_MINUTE);
    this.routes =
        Stream.of(
                new TokenRoutes(admittance, failedTries, tries).routes(),
                new LogInRoutes(admittance, failedTries, tries).routes(),
                List.of(
                    Route.publicGet(
                        PROTOCOL + "/certs", _ -> Reply.rawJson(200, keys.publicKeys().toString())),
                    Route.publicGet(
                        REALM + "/.well-known/openid-configuration",
                        _ -> Reply.json(200, discovery()))))
            .flatMap(List::stream)
            .toList();
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

    /** Where its endpoints are. */
    String protocol() {
      return baseUrl + PROTOCOL;
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
    return routes;
  }

  private Map<String, Object> discovery() {
    String protocol = settings.protocol();
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("issuer", settings.issuer());
    document.put("authorization_endpoint", protocol + "/auth");
    document.put("token_endpoint", protocol + "/token");
    document.put("userinfo_endpoint", protocol + "/userinfo");
    document.put("end_session_endpoint", protocol + "/logout");
    document.put("jwks_uri", protocol + "/certs");
    document.put(
        "grant_types_supported", List.of("authorization_code", "password", "refresh_token"));
    document.put("response_types_supported", List.of("code"));
    document.put("response_modes_supported", List.of("query"));
    document.put("code_challenge_methods_supported", List.of("S256"));
    document.put("prompt_values_supported", List.of("login", "none"));
    document.put("subject_types_supported", List.of("public"));
    document.put("id_token_signing_alg_values_supported", List.of("RS256"));
    document.put(
        "token_endpoint_auth_methods_supported",
        List.of("client_secret_post", "client_secret_basic"));
    document.put("scopes_supported", List.of("openid", "profile", "email"));
    document.put(
        "claims_supported",
        List.of(
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "preferred_username"));
    document.put("authorization_response_iss_parameter_supported", true);
    return document;
  }

  static Reply error(int status, String error, String description) {
    return Reply.json(status, Map.of("error", error, "error_description", description))
        .with("Cache-Control", "no-store");
  }

  @Override
  public Caller authenticate(Request request) {
    String header =
        request
            .header("authorization")
            .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
            .orElseThrow(() -> new Refused(new Unauthenticated(Why.MISSING)));
    return credentials.caller(
        header.substring(7).strip(), Optional.empty(), request.correlationId());
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
      case Unauthenticated _ ->
          error(401, "invalid_token", "Not authenticated").with("WWW-Authenticate", "Bearer");
      case Refusal.Denied _ -> error(403, "insufficient_scope", "You may not do this");
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
