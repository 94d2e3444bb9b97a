package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.gpudev.login.AwsCredentials;
import gpuaas.gpudev.login.LogInAnswer;
import gpuaas.gpudev.login.PresignedRequest;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.identity.Scopes;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Keys that open this API for a while: for whoever proves who they are, and for who has one. */
final class KeyRoutes {

  private static final String ID = "aws_access_key_id";
  private static final String SECRET = "aws_secret_access_key";
  private static final String TOKEN = "aws_session_token";

  /** Longer than the original takes: some that AWS gives are. */
  private static final int TOKEN_LENGTH_MOST = 16_384;

  private static final int TOKEN_LENGTH_LEAST = 100;
  private static final int ID_LENGTH_LEAST = 16;
  private static final int SECRET_LENGTH_LEAST = 40;
  private static final int LENGTH_MOST = 128;

  private final GpudevSettings settings;
  private final Database database;
  private final Identities identities;
  private final ApiKeys apiKeys;
  private final LogInDoor door;

  KeyRoutes(GpudevDialect.Parts parts) {
    this.settings = parts.settings();
    this.database = parts.database();
    this.identities = parts.identities();
    this.apiKeys = parts.apiKeys();
    this.door = parts.logIn();
  }

  List<Route> routes() {
    return List.of(
        open("/v1/auth/aws-login", this::byAws),
        open("/v1/auth/aws-login/presigned", this::byPresigned),
        open("/v1/auth/oidc-login", this::byOidc),
        new Route(
                "POST",
                "/v1/keys/rotate",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::rotate))
            .needing(Action.LEASE_READ));
  }

  private static Route open(String path, Function<Request, Reply> work) {
    return new Route("POST", path, Route.Access.PUBLIC, new Route.Handler.Plain(work));
  }

  // --- log-in ---

  private Reply byAws(Request request) {
    Model body = Model.of(request, Set.of(ID, SECRET, TOKEN));
    Optional<String> id = body.requiredText(ID, ID_LENGTH_LEAST, LENGTH_MOST);
    Optional<String> secret = body.requiredText(SECRET, SECRET_LENGTH_LEAST, LENGTH_MOST);
    // The documents' script sends an empty one when there is none.
    Optional<String> token =
        body.text(TOKEN).filter(String::isEmpty).isPresent()
            ? Optional.empty()
            : body.text(TOKEN, TOKEN_LENGTH_LEAST, TOKEN_LENGTH_MOST);
    body.check();
    requireAws();
    AwsCredentials credentials = new AwsCredentials(id.orElseThrow(), secret.orElseThrow(), token);
    return entered(request, door.logIns().byAws(credentials), false);
  }

  private void requireAws() {
    if (!door.awsOffered()) {
      throw new Halt(
          GpudevErrors.error(
              403,
              "AWS log-in is not set up here: the operator must name the accounts that may come in"
                  + " gpudev.aws-accounts"));
    }
  }

  private Reply byPresigned(Request request) {
    Model body = Model.of(request, Set.of("headers", "url", "body"));
    Optional<String> method = body.requiredText("method");
    Optional<String> url = body.requiredText("url");
    Map<String, String> headers = new LinkedHashMap<>();
    body.dictionary("headers").forEach((name, value) -> headers.put(name, value.asText()));
    Optional<String> content = body.text("body");
    body.check();
    requireAws();
    PresignedRequest signed =
        new PresignedRequest(method.orElseThrow(), url.orElseThrow(), headers, content.orElse(""));
    return entered(request, door.logIns().byPresigned(signed), false);
  }

  private Reply byOidc(Request request) {
    Model body = Model.of(request, Set.of("id_token"));
    Optional<String> token = body.requiredText("id_token");
    body.check();
    return entered(request, door.logIns().byOidc(token.orElseThrow()), true);
  }

  private Reply entered(Request request, LogInAnswer answer, boolean byOidc) {
    return switch (answer) {
      case LogInAnswer.Denied(int status, String detail) -> GpudevErrors.error(status, detail);
      case LogInAnswer.Visitor(String username, Optional<String> arn) ->
          door.person(identities, username, byOidc)
              .map(person -> welcome(request, person, arn, byOidc))
              .orElseGet(() -> GpudevErrors.error(403, "User account is disabled"));
    };
  }

  private Reply welcome(Request request, Person person, Optional<String> arn, boolean byOidc) {
    String how = arn.map(text -> "AWS login from " + text).orElse(byOidc ? "OIDC login" : "login");
    ApiKeys.Issued issued =
        database.tx(tx ->
            apiKeys.issue(
                tx,
                person,
                how,
                Scopes.FULL_ACCESS,
                settings.keyLifetime(),
                request.correlationId()));
    Map<String, Object> body = new LinkedHashMap<>(key(person, issued));
    Object end = body.remove("expires_at");
    arn.ifPresent(text -> body.put("aws_arn", text));
    body.put("expires_at", end);
    body.put("ttl_hours", Math.max(1, Math.ceilDiv(settings.keyLifetime().toMinutes(), 60)));
    return GpudevJson.reply(200, body);
  }

  // --- rotation ---

  /** A fresh key that allows what the old one does; the old one goes on to its own end. */
  private Reply rotate(Request request) {
    Caller caller = request.caller();
    Person person = identities.find(caller.user()).orElseThrow();
    ApiKeys.Issued issued =
        database.tx(tx ->
            apiKeys.issue(
                tx,
                person,
                "Manually rotated key",
                apiKeys.scopes(tx, caller),
                settings.keyLifetime(),
                request.correlationId()));
    return GpudevJson.reply(200, key(person, issued));
  }

  private Map<String, Object> key(Person person, ApiKeys.Issued issued) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("api_key", issued.secret());
    body.put("key_prefix", issued.key().prefix());
    body.put("user_id", identities.number(person.id()));
    body.put("username", person.username());
    body.put(
        "expires_at",
        issued.key().expiresAt().map((Instant end) -> GpudevJson.time(end)).orElseThrow());
    return body;
  }
}
