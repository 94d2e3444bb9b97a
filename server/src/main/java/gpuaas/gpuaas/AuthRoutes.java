package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.base.Secrets;
import gpuaas.db.Tx;
import gpuaas.http.FailedTries;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.idp.LogInProvider;
import gpuaas.idp.LogInProvider.Ask;
import gpuaas.idp.LogInProvider.Grant;
import gpuaas.idp.RedirectUris;
import gpuaas.session.LogInCodes;
import gpuaas.session.Session;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Sessions;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Logging in through a browser: the API, not the client, talks to whoever lets people in. And where
 * one is logged in, and ending that.
 */
final class AuthRoutes {

  private static final int CODE_LENGTH_MOST = 4096;
  private static final int TOKEN_LENGTH_MOST = 8 * 1024;
  private static final int HINT_LENGTH_MOST = 255;

  private final LogInProvider provider;
  private final RedirectUris redirectUris;
  private final FailedTries failedTries;
  private final Sessions sessions;
  private final GpuaasAuth auth;

  AuthRoutes(GpuaasDialect.Membership membership, GpuaasAuth auth) {
    this.sessions = membership.admittance().sessions();
    this.auth = auth;
    this.provider = membership.admittance().provider();
    this.redirectUris = membership.admittance().redirectUris();
    this.failedTries = membership.failedTries();
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/api/v1/auth/oidc/authorize", this::authorize),
        open("/api/v1/auth/oidc/exchange", this::exchange),
        open("/api/v1/auth/token/refresh", this::refresh),
        Route.get("/api/v1/auth/sessions", this::list).needing(Action.SELF_READ),
        Route.once("DELETE", "/api/v1/auth/sessions/{id}", this::revoke).needing(Action.SELF_WRITE),
        new Route(
                "POST",
                "/api/v1/auth/logout",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::logOut))
            .needing(Action.SELF_WRITE));
  }

  static Route open(String path, Function<Request, Reply> work) {
    return new Route("POST", path, Route.Access.PUBLIC, new Route.Handler.Plain(work));
  }

  static Visitor visitor(Request request) {
    return new Visitor(request.remoteAddress(), request.header("user-agent").orElse(""));
  }

  /** The state comes from here, and is the client's to compare: nothing is kept. */
  private record Authorization(String authorizeUrl, String state, String opaqueState) {}

  private Reply authorize(Request request) {
    String redirectUri = required(request, "redirect_uri");
    if (!redirectUris.allows(redirectUri)) {
      throw invalid(
          "redirect_uri",
          "must be http://127.0.0.1, http://localhost or http://[::1] with any port and path, or"
              + " one that this server allows");
    }
    String challenge = required(request, "code_challenge");
    if (!LogInCodes.CHALLENGE.matcher(challenge).matches()) {
      throw invalid("code_challenge", "must be a SHA-256 in base64url, 43 characters");
    }
    if (!required(request, "method").equals("S256")) {
      throw invalid("method", "must be S256");
    }
    Optional<String> otherProvider = hint(request, "provider_hint");
    hint(request, "tenant_hint"); // one tenant of each person is their default, whatever is hinted
    Optional<String> identity = hint(request, "identity_hint");
    String state = Secrets.token();
    String url =
        provider.authorizeUrl(new Ask(redirectUri, state, challenge, identity, otherProvider));
    return Reply.json(200, new Authorization(url, state, state)).with("Cache-Control", "no-store");
  }

  private static String required(Request request, String name) {
    String text = request.query(name).orElseThrow(() -> invalid(name, "is required"));
    if (request.query().getOrDefault(name, List.of()).size() > 1) {
      throw invalid(name, "must be there once");
    }
    return text;
  }

  private static Optional<String> hint(Request request, String name) {
    Optional<String> hint = request.query(name).filter(text -> !text.isBlank());
    if (hint.filter(text -> text.length() > HINT_LENGTH_MOST || text.chars().anyMatch(c -> c < ' '))
        .isPresent()) {
      throw invalid(name, "must have at most " + HINT_LENGTH_MOST + " characters");
    }
    return hint;
  }

  private static Refused invalid(String field, String problem) {
    return new Refused(Refusal.Invalid.field(field, problem));
  }

  private Reply exchange(Request request) {
    failedTries.admit(request.remoteAddress());
    Fields fields = request.fields();
    String code = fields.text("code", CODE_LENGTH_MOST);
    String verifier = fields.text("verifier", 128);
    String redirectUri = fields.text("redirect_uri", 2000);
    if (!verifier.isEmpty() && !LogInCodes.VERIFIER.matcher(verifier).matches()) {
      fields.problem("verifier", "must have 43 to 128 letters, digits or any of . _ ~ -", "");
    }
    fields.check();
    return answer(request, provider.exchange(code, redirectUri, verifier, visitor(request)));
  }

  /** What a log-in gives, as clients see it. */
  record GrantView(
      String accessToken,
      String refreshToken,
      String tokenType,
      long expiresIn,
      long exp,
      long refreshExpiresIn) {

    static Reply reply(int status, Grant grant) {
      GrantView view =
          new GrantView(
              grant.accessToken(),
              grant.refreshToken(),
              "Bearer",
              grant.expiresIn().toSeconds(),
              grant.expiresAt().getEpochSecond(),
              grant.refreshExpiresIn().toSeconds());
      return Reply.json(status, view).with("Cache-Control", "no-store");
    }
  }

  private Reply refresh(Request request) {
    failedTries.admit(request.remoteAddress());
    Fields fields = request.fields();
    String token = fields.text("refresh_token", TOKEN_LENGTH_MOST);
    fields.check();
    return answer(request, provider.refresh(token));
  }

  /** No word on what is wrong with it: whoever guesses shall not learn. */
  private Reply answer(Request request, Optional<Grant> grant) {
    if (grant.isEmpty()) {
      failedTries.failed(request.remoteAddress());
      throw new Refused(new Unauthenticated(Why.INVALID));
    }
    return GrantView.reply(200, grant.get());
  }

  // --- sessions ---

  private record SessionView(
      UUID id,
      String provider,
      String deviceLabel,
      String userAgent,
      String ipAddress,
      Instant signedInAt,
      Instant lastSeenAt,
      Instant expiresAt,
      boolean current) {
    static SessionView of(Session session, Optional<String> current) {
      return new SessionView(
          session.id(),
          session.provider().name().toLowerCase(Locale.ROOT),
          deviceLabel(session.visitor().userAgent()),
          session.visitor().userAgent(),
          session.visitor().address(),
          session.signedInAt(),
          session.lastSeenAt(),
          session.expiresAt(),
          current.filter(session.key()::equals).isPresent());
    }

    /** The program's first word, which is all that can be relied on. */
    private static String deviceLabel(String userAgent) {
      String first = userAgent.split("[ /(]", 2)[0];
      return first.isEmpty() ? "unknown" : first;
    }
  }

  private record SessionList(List<SessionView> items) {}

  private Reply list(Request request) {
    Optional<String> current = auth.session(request);
    return Reply.json(
        200,
        new SessionList(
            sessions.list(request.caller()).stream()
                .map(session -> SessionView.of(session, current))
                .toList()));
  }

  private Reply revoke(Request request, Tx tx) {
    sessions.revoke(tx, request.caller(), request.id("id", Kind.SESSION));
    return Reply.empty(204);
  }

  private Reply logOut(Request request) {
    String session =
        auth.session(request)
            .orElseThrow(() ->
                new Refused(
                    new Refusal.Unreadable(
                        "Only a session can be logged out; revoke a key instead")));
    Fields fields = request.fieldsOrNone();
    Optional<String> refreshToken = fields.maybeText("refresh_token", 8192);
    fields.check();
    sessions.logOut(request.caller().user(), session);
    refreshToken.ifPresent(provider::end);
    return Reply.empty(204);
  }
}
