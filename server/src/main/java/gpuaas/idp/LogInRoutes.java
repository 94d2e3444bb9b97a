package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Secrets;
import gpuaas.http.FailedTries;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.idp.AuthorizeRequest.Outcome;
import gpuaas.idp.IdpDialect.IdpSettings;
import gpuaas.session.LogInCodes;
import gpuaas.session.PasswordDoor;
import gpuaas.session.Sessions;
import java.net.URI;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What browsers see of the provider: the log-in page, the log-out, and who somebody is. */
final class LogInRoutes {

  private static final String COOKIE = "gpuaas_log_in";
  private static final Pattern COOKIE_FORM =
      Pattern.compile("(?:^|; ?)" + COOKIE + "=([A-Za-z0-9_-]{43})(?:;|$)");
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");
  private static final int NAME_LENGTH_MOST = 255;

  private final IdpSettings settings;
  private final PasswordDoor door;
  private final LogInCodes codes;
  private final Sessions sessions;
  private final TokenCheck check;
  private final RedirectUris redirectUris;
  private final FailedTries failedTries;
  private final RateLimits tries;

  LogInRoutes(Admittance admittance, FailedTries failedTries, RateLimits tries) {
    this.settings = admittance.settings();
    this.door = admittance.door();
    this.codes = admittance.codes();
    this.sessions = admittance.sessions();
    this.check = admittance.check();
    this.redirectUris = admittance.redirectUris();
    this.failedTries = failedTries;
    this.tries = tries;
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet(IdpDialect.PROTOCOL + "/auth", this::show),
        open("POST", IdpDialect.PROTOCOL + "/auth", this::logIn),
        Route.publicGet(IdpDialect.PROTOCOL + "/logout", request -> logOut(request, Map.of())),
        open("POST", IdpDialect.PROTOCOL + "/logout", request -> logOut(request, request.form())),
        Route.get(IdpDialect.PROTOCOL + "/userinfo", LogInRoutes::userInfo)
            .needing(Action.SELF_READ),
        new Route(
                "POST",
                IdpDialect.PROTOCOL + "/userinfo",
                Route.Access.CALLER,
                new Route.Handler.Plain(LogInRoutes::userInfo))
            .needing(Action.SELF_READ));
  }

  private static Route open(
      String method, String path, java.util.function.Function<Request, Reply> work) {
    return new Route(method, path, Route.Access.PUBLIC, new Route.Handler.Plain(work));
  }

  // --- the page ---

  private Reply show(Request request) {
    return switch (AuthorizeRequest.read(request, settings.clientId(), redirectUris)) {
      case Outcome.Page(String problem) -> LogInPage.words(400, "This does not work", problem);
      case Outcome.Back back -> back(back);
      case Outcome.Good(AuthorizeRequest asked) when asked.silent() ->
          back(
              new Outcome.Back(
                  asked.redirectUri(), asked.state(), "login_required", "Somebody must log in"));
      case Outcome.Good(AuthorizeRequest asked) ->
          form(request, asked, 200, asked.loginHint().orElse(""), Optional.empty());
    };
  }

  private Reply form(
      Request request, AuthorizeRequest asked, int status, String name, Optional<String> bad) {
    String cookie = cookie(request).orElseGet(Secrets::token);
    String action = IdpDialect.PROTOCOL + "/auth?" + query(request);
    String shown = name.substring(0, Math.min(NAME_LENGTH_MOST, name.length()));
    URI goal = URI.create(asked.redirectUri());
    Reply reply =
        LogInPage.form(status, action, LogInPage.tokenOf(cookie), shown, goal(goal.getHost()), bad);
    return LogInPage.guarded(reply, formTarget(goal)).with("Set-Cookie", cookie(cookie, ""));
  }

  private static String goal(String host) {
    return LOOPBACK.contains(host) ? "the program on this computer that asked" : host;
  }

  /** CSP knows no addresses of version 6. */
  private static String formTarget(URI goal) {
    String host = goal.getHost();
    return host.startsWith("[")
        ? goal.getScheme() + ":"
        : goal.getScheme() + "://" + host + (goal.getPort() < 0 ? "" : ":" + goal.getPort());
  }

  private String cookie(String value, String more) {
    return COOKIE
        + "="
        + value
        + "; Path="
        + IdpDialect.REALM
        + "; HttpOnly; SameSite=Lax"
        + (settings.baseUrl().startsWith("https:") ? "; Secure" : "")
        + more;
  }

  private static Optional<String> cookie(Request request) {
    return request
        .header("cookie")
        .map(COOKIE_FORM::matcher)
        .filter(Matcher::find)
        .map(found -> found.group(1));
  }

  private static String query(Request request) {
    StringBuilder query = new StringBuilder();
    request
        .query()
        .forEach((name, values) ->
            query
                .append(query.isEmpty() ? "" : "&")
                .append(encoded(name))
                .append('=')
                .append(encoded(values.getFirst())));
    return query.toString();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  // --- a try ---

  private Reply logIn(Request request) {
    return switch (AuthorizeRequest.read(request, settings.clientId(), redirectUris)) {
      case Outcome.Page(String problem) -> LogInPage.words(400, "This does not work", problem);
      case Outcome.Back back -> back(back);
      case Outcome.Good(AuthorizeRequest asked) -> logIn(request, asked);
    };
  }

  private Reply logIn(Request request, AuthorizeRequest asked) {
    Map<String, String> form = request.form();
    String name = form.getOrDefault("username", "");
    if (!isOurForm(request, form)) {
      return form(
          request,
          asked,
          403,
          name,
          Optional.of(
              "This form was not sent from here, or your browser takes no cookies. Try again."));
    }
    try {
      failedTries.admit(request.remoteAddress());
      tries.take(request.remoteAddress() + " " + name);
      if (name.length() > NAME_LENGTH_MOST || name.indexOf('\0') >= 0) {
        return wrong(request, asked, "");
      }
      return switch (door.check(name, form.getOrDefault("password", ""))) {
        case PasswordDoor.Outcome.In(var person) -> welcome(asked, person.id());
        case PasswordDoor.Outcome.Wrong() -> wrong(request, asked, name);
        case PasswordDoor.Outcome.Locked(Duration left) -> later(request, asked, name, left);
      };
    } catch (Refused no) {
      if (no.refusal() instanceof Refusal.RateLimited limited) {
        return later(request, asked, name, limited.retryAfter());
      }
      throw no;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return LogInPage.words(503, "Not now", "The server is stopping. Try again in a minute.");
    }
  }

  /** No other site can send this form: it knows neither the cookie nor what the form says of it. */
  private static boolean isOurForm(Request request, Map<String, String> form) {
    boolean fromHere = request.header("sec-fetch-site").orElse("same-origin").equals("same-origin");
    return fromHere
        && cookie(request)
            .filter(cookie ->
                LogInPage.isSame(LogInPage.tokenOf(cookie), form.getOrDefault("token", "")))
            .isPresent();
  }

  private Reply wrong(Request request, AuthorizeRequest asked, String name) {
    failedTries.failed(request.remoteAddress());
    return form(
        request, asked, 401, name, Optional.of("The name or the password is wrong. Try again."));
  }

  /** Said of every name alike, whether there is somebody of that name or not. */
  private Reply later(Request request, AuthorizeRequest asked, String name, Duration left) {
    long minutes = Math.max(1, (left.toSeconds() + 59) / 60);
    String when = minutes == 1 ? "a minute" : minutes + " minutes";
    return form(
            request, asked, 429, name, Optional.of("Too many tries. Try again in " + when + "."))
        .with("Retry-After", Long.toString(left.toSeconds() + 1));
  }

  private Reply welcome(AuthorizeRequest asked, UUID person) {
    String code =
        codes.give(
            new LogInCodes.Asked(
                person,
                asked.clientId(),
                asked.redirectUri(),
                asked.challenge(),
                asked.nonce(),
                asked.scope()));
    return redirect(asked.redirectUri(), "code=" + code + state(asked.state()))
        .with("Set-Cookie", cookie("", "; Max-Age=0"));
  }

  private Reply back(Outcome.Back back) {
    return redirect(
        back.redirectUri(),
        "error="
            + back.error()
            + "&error_description="
            + encoded(back.description())
            + state(back.state()));
  }

  private static String state(Optional<String> state) {
    return state.map(text -> "&state=" + encoded(text)).orElse("");
  }

  private Reply redirect(String uri, String query) {
    String location =
        uri + (uri.indexOf('?') < 0 ? '?' : '&') + query + "&iss=" + encoded(settings.issuer());
    return LogInPage.guarded(Reply.empty(303), "").with("Location", location);
  }

  // --- the log-out, and who somebody is ---

  private Reply logOut(Request request, Map<String, String> form) {
    Map<String, String> asked = new LinkedHashMap<>(form);
    request.query().forEach((name, values) -> asked.putIfAbsent(name, values.getFirst()));
    String refreshToken = form.getOrDefault("refresh_token", "");
    if (!refreshToken.isEmpty()) {
      sessions.endBy(refreshToken);
      return Reply.empty(204);
    }
    Optional<TokenCheck.Named> named = check.idToken(asked.getOrDefault("id_token_hint", ""));
    named.ifPresent(session -> sessions.logOut(session.person(), session.session()));
    String uri = asked.getOrDefault("post_logout_redirect_uri", "");
    if (named.isPresent() && redirectUris.allows(uri)) {
      String state =
          Optional.ofNullable(asked.get("state")).map(text -> "state=" + encoded(text)).orElse("");
      return LogInPage.guarded(Reply.empty(303), "")
          .with(
              "Location", state.isEmpty() ? uri : uri + (uri.indexOf('?') < 0 ? '?' : '&') + state);
    }
    return named.isPresent()
        ? LogInPage.words(200, "You are logged out", "You can close this window.")
        : LogInPage.words(
            400,
            "Nobody was logged out",
            "The program that sent you here did not say who you are. Log out there.");
  }

  private static Reply userInfo(Request request) {
    Caller caller = request.caller();
    Map<String, Object> claims = new LinkedHashMap<>();
    claims.put("sub", caller.user().toString());
    claims.put("preferred_username", caller.name());
    claims.put("name", caller.name());
    return Reply.json(200, claims).with("Cache-Control", "no-store");
  }
}
