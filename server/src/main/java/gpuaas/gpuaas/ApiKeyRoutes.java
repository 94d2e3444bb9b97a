package gpuaas.gpuaas;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.ApiKey;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Scopes;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** API keys: make, look, list, rotate, revoke. What opens is in the answer that made it, only. */
final class ApiKeyRoutes {

  private static final String PATH = "/api/v1/api-keys";
  private static final int SCOPES_MOST = 16;

  private final ApiKeys apiKeys;

  ApiKeyRoutes(ApiKeys apiKeys) {
    this.apiKeys = apiKeys;
  }

  List<Route> routes() {
    return List.of(
        Route.once("POST", PATH, this::create).needing(Action.API_KEY_WRITE),
        Route.get(PATH, this::list).needing(Action.API_KEY_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.API_KEY_READ),
        Route.once("POST", PATH + "/{id}/rotate", this::rotate).needing(Action.API_KEY_WRITE),
        Route.once("DELETE", PATH + "/{id}", this::revoke).needing(Action.API_KEY_WRITE));
  }

  private record ApiKeyView(
      UUID id,
      String name,
      String prefix,
      List<String> scopes,
      UUID projectId,
      UUID userId,
      Instant createdAt,
      Optional<Instant> expiresAt,
      Optional<Instant> lastUsedAt,
      Optional<Instant> revokedAt,
      @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> key) {
    static ApiKeyView of(ApiKey key, Optional<String> secret) {
      return new ApiKeyView(
          key.id(),
          key.name(),
          key.prefix(),
          key.scopes().words(),
          key.project(),
          key.person(),
          key.madeAt(),
          key.expiresAt(),
          key.lastUsedAt(),
          key.revokedAt(),
          secret);
    }
  }

  private record ApiKeyPage(List<ApiKeyView> items, Optional<String> nextCursor) {}

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = fields.text("name", 200);
    List<String> words = fields.optionalTexts("scopes", SCOPES_MOST, 64);
    Optional<Instant> expiresAt = fields.optionalInstant("expires_at");
    Optional<Scopes> scopes =
        words.isEmpty() ? Optional.of(Scopes.FULL_ACCESS) : Scopes.parse(words);
    if (scopes.isEmpty()) {
      fields.problem("scopes", Scopes.FORM, "");
    }
    fields.check();
    return made(apiKeys.create(tx, request.caller(), name, scopes.orElseThrow(), expiresAt));
  }

  private Reply rotate(Request request, Tx tx) {
    return made(apiKeys.rotate(tx, request.caller(), request.id("id", Kind.API_KEY)));
  }

  private static Reply made(ApiKeys.Issued issued) {
    return Reply.json(201, ApiKeyView.of(issued.key(), Optional.of(issued.secret())))
        .with("Location", PATH + "/" + issued.key().id());
  }

  private Reply get(Request request) {
    ApiKey key = apiKeys.get(request.caller(), request.id("id", Kind.API_KEY));
    return Reply.json(200, ApiKeyView.of(key, Optional.empty()));
  }

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<ApiKey> page = apiKeys.list(request.caller(), request.cursorId(), limit);
    return Reply.json(
        200,
        new ApiKeyPage(
            page.items().stream().map(key -> ApiKeyView.of(key, Optional.empty())).toList(),
            page.next()));
  }

  private Reply revoke(Request request, Tx tx) {
    apiKeys.revoke(tx, request.caller(), request.id("id", Kind.API_KEY));
    return Reply.empty(204);
  }
}
