package gpuaas.gpuaas;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.base.Secrets;
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
import gpuaas.session.Session.Visitor;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Logging in through a browser: the API, not the client, talks to whoever lets people in. */
final class AuthRoutes {

  private static final int CODE_LENGTH_MOST = 4096;
  private static final int TOKEN_LENGTH_MOST = 8 * 1024;
  private static final int HINT_LENGTH_MOST = 255;

  private final LogInProvider provider;
  private final RedirectUris redirectUris;
  private final FailedTries failedTries;

  AuthRoutes(GpuaasDialect.Membership membership) {
    this.provider = membership.admittance().provider();
    this.redirectUris = membership.admittance().redirectUris();
    this.failedTries = membership.failedTries();
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/api/v1/auth/oidc/authorize", this::authorize),
        open("/api/v1/auth/oidc/exchange", this::exchange),
        open("/api/v1/auth/token/refresh", this::refresh));
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
    hint(request, "provider_hint");
    hint(request, "tenant_hint");
    Optional<String> identity = hint(request, "identity_hint");
    String state = Secrets.token();
    String url = provider.authorizeUrl(new Ask(redirectUri, state, challenge, identity));
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
}
