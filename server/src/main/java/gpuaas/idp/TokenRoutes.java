package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.http.FailedTries;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.idp.IdpDialect.IdpSettings;
import gpuaas.idp.LogInProvider.Grant;
import gpuaas.session.PasswordDoor;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Session.Way;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The token endpoint: codes, refresh tokens and passwords for tokens. */
final class TokenRoutes {

  // Names are remembered for the limit on tries: long ones would fill the memory. And PostgreSQL
  // takes no NUL.
  private static final int USERNAME_LENGTH_MOST = 255;

  private final IdpSettings settings;
  private final PasswordDoor door;
  private final LogIns logIns;
  private final FailedTries failedTries;
  private final RateLimits tries;

  TokenRoutes(Admittance admittance, FailedTries failedTries, RateLimits tries) {
    this.settings = admittance.settings();
    this.door = admittance.door();
    this.logIns = admittance.logIns();
    this.failedTries = failedTries;
    this.tries = tries;
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "POST",
            IdpDialect.PROTOCOL + "/token",
            Route.Access.PUBLIC,
            new Route.Handler.Plain(this::token)));
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
      return IdpDialect.error(
          401, "invalid_client", "Invalid client or Invalid client credentials");
    }
    String username = form.getOrDefault("username", "");
    if (username.length() > USERNAME_LENGTH_MOST || username.indexOf('\0') >= 0) {
      return IdpDialect.error(401, "invalid_grant", "Invalid user credentials");
    }
    tries.take(request.remoteAddress() + " " + username);
    return switch (form.getOrDefault("grant_type", "")) {
      case "password" -> password(request, username, form.getOrDefault("password", ""));
      case "refresh_token" ->
          answer(
              logIns.refresh(form.getOrDefault("refresh_token", "")), "Invalid refresh token", 401);
      case "authorization_code" ->
          answer(
              logIns.exchange(
                  form.getOrDefault("code", ""),
                  form.getOrDefault("redirect_uri", ""),
                  form.getOrDefault("code_verifier", ""),
                  visitor(request)),
              "Code not valid",
              400);
      case "" -> IdpDialect.error(400, "invalid_request", "Missing form parameter: grant_type");
      default -> IdpDialect.error(400, "unsupported_grant_type", "Unsupported grant_type");
    };
  }

  private Reply password(Request request, String username, String password) {
    try {
      return switch (door.check(username, password)) {
        case PasswordDoor.Outcome.In(var person) ->
            tokens(logIns.begin(person, Way.PASSWORD, visitor(request)));
        case PasswordDoor.Outcome.Wrong() ->
            IdpDialect.error(401, "invalid_grant", "Invalid user credentials");
        case PasswordDoor.Outcome.Locked(Duration left) ->
            IdpDialect.error(429, "slow_down", "Too many wrong passwords for this name")
                .with("Retry-After", Long.toString(left.toSeconds() + 1));
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return IdpDialect.error(503, "temporarily_unavailable", "The server is stopping");
    }
  }

  /** Where a request comes from. */
  static Visitor visitor(Request request) {
    return new Visitor(request.remoteAddress(), request.header("user-agent").orElse(""));
  }

  private static Reply answer(Optional<Grant> grant, String otherwise, int status) {
    return grant
        .map(TokenRoutes::tokens)
        .orElseGet(() -> IdpDialect.error(status, "invalid_grant", otherwise));
  }

  private static Reply tokens(Grant grant) {
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put("access_token", grant.accessToken());
    reply.put("expires_in", grant.expiresIn().toSeconds());
    reply.put("refresh_expires_in", grant.refreshExpiresIn().toSeconds());
    reply.put("refresh_token", grant.refreshToken());
    grant.idToken().ifPresent(token -> reply.put("id_token", token));
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
}
