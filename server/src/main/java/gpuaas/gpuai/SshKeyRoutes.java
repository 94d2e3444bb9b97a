package gpuaas.gpuai;

import gpuaas.access.SshKeys;
import gpuaas.access.SshKeys.Registered;
import gpuaas.base.Action;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The SSH keys of whoever made the API key. The public key itself is not given back. */
final class SshKeyRoutes {

  private static final int NAME_LENGTH_MOST = 100;
  private static final int KEY_LENGTH_MOST = 16 * 1024;

  private final String path;
  private final SshKeys sshKeys;
  private final Lists lists;

  SshKeyRoutes(String mount, SshKeys sshKeys, Lists lists) {
    this.path = mount + "/ssh-keys";
    this.sshKeys = sshKeys;
    this.lists = lists;
  }

  List<Route> routes() {
    return List.of(
        Route.get(path, this::list).needing(Action.SSH_KEY_READ),
        Route.once("POST", path, this::create).needing(Action.SSH_KEY_WRITE),
        Route.get(path + "/{id}", this::get).needing(Action.SSH_KEY_READ),
        Route.change("DELETE", path + "/{id}", this::delete).needing(Action.SSH_KEY_WRITE));
  }

  private record SshKeyView(UUID id, String name, String fingerprint, Instant createdAt) {
    static SshKeyView of(Registered key) {
      return new SshKeyView(key.id(), key.title(), key.key().fingerprint(), key.madeAt());
    }
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = Bodies.fields(request);
    String name = fields.text("name", NAME_LENGTH_MOST);
    String publicKey = fields.text("public_key", KEY_LENGTH_MOST);
    fields.check();
    return Reply.json(
        201,
        SshKeyView.of(
            Bodies.renamed(
                () -> sshKeys.add(tx, request.caller(), name, publicKey, Optional.empty()),
                java.util.Map.of("title", "name", "key", "public_key"))));
  }

  private Reply list(Request request) {
    List<Registered> mine = sshKeys.listOwn(request.caller());
    // Newest first: the order of the keys is the other way round.
    List<String> after = lists.after(request, "", 1).orElse(List.of());
    List<Registered> found =
        mine.stream()
            .filter(key -> after.isEmpty() || place(key).compareTo(after.getFirst()) < 0)
            .limit(Lists.limit(request) + 1L)
            .toList();
    return lists.page(request, "", found, SshKeyView::of, key -> List.of(place(key)));
  }

  private static String place(Registered key) {
    return String.format("%020d %s", micros(key.madeAt()), key.id());
  }

  private static long micros(Instant at) {
    return Math.addExact(Math.multiplyExact(at.getEpochSecond(), 1_000_000L), at.getNano() / 1000);
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
