package gpuaas.gpuaas;

import gpuaas.access.SshKeys;
import gpuaas.access.SshKeys.Registered;
import gpuaas.access.SshKeys.Scope;
import gpuaas.base.Action;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Public keys: register, look, list, forget. */
final class SshKeyRoutes {

  private static final String PATH = "/api/v1/ssh-keys";
  private static final int KEY_LENGTH_MOST = 16 * 1024;

  private static final Map<String, Scope> SCOPES =
      Map.of("user", Scope.USER, "project", Scope.PROJECT);

  private final SshKeys sshKeys;

  SshKeyRoutes(SshKeys sshKeys) {
    this.sshKeys = sshKeys;
  }

  List<Route> routes() {
    return List.of(
        Route.once("POST", PATH, this::add).needing(Action.SSH_KEY_WRITE),
        Route.get(PATH, this::list).needing(Action.SSH_KEY_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.SSH_KEY_READ),
        Route.once("DELETE", PATH + "/{id}", this::delete).needing(Action.SSH_KEY_WRITE));
  }

  private record SshKeyView(
      UUID id,
      String title,
      String key,
      String keyType,
      String fingerprint,
      String scope,
      Optional<UUID> projectId,
      UUID userId,
      Instant createdAt) {
    static SshKeyView of(Registered key) {
      return new SshKeyView(
          key.id(),
          key.title(),
          key.key().line(),
          key.key().type(),
          key.key().fingerprint(),
          key.scope().name().toLowerCase(Locale.ROOT),
          key.project(),
          key.person(),
          key.madeAt());
    }
  }

  private record SshKeyPage(List<SshKeyView> items) {}

  private Reply add(Request request, Tx tx) {
    Fields fields = request.fields();
    String title = fields.text("title", 200);
    String key = fields.text("key", KEY_LENGTH_MOST);
    Optional<Scope> scope =
        fields.isGiven("scope") ? Optional.of(fields.word("scope", SCOPES)) : Optional.empty();
    fields.check();
    Registered registered = sshKeys.add(tx, request.caller(), title, key, scope);
    return Reply.json(201, SshKeyView.of(registered))
        .with("Location", PATH + "/" + registered.id());
  }

  private Reply list(Request request) {
    return Reply.json(
        200, new SshKeyPage(sshKeys.list(request.caller()).stream().map(SshKeyView::of).toList()));
  }

  private Reply get(Request request) {
    return Reply.json(
        200, SshKeyView.of(sshKeys.get(request.caller(), request.id("id", Kind.SSH_KEY))));
  }

  private Reply delete(Request request, Tx tx) {
    sshKeys.delete(tx, request.caller(), request.id("id", Kind.SSH_KEY));
    return Reply.empty(204);
  }
}
