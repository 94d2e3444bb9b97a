package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.PersonListStore.Listed;
import gpuaas.oversight.Roster;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** People, for those who run the platform: who there is, somebody new, and nobody any more. */
final class UserRoutes {

  private static final String PATH = "/api/v1/admin/users";
  private static final int PAGE_MOST = 200;

  private final Roster roster;
  private final int passwordLengthLeast;

  UserRoutes(Roster roster, int passwordLengthLeast) {
    this.roster = roster;
    this.passwordLengthLeast = passwordLengthLeast;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.PLATFORM_OPERATE),
        Route.get(PATH + "/{id}", this::get).needing(Action.PLATFORM_OPERATE),
        Route.once("POST", PATH, this::create).needing(Action.PLATFORM_OPERATE),
        Route.once("POST", PATH + "/{id}/disable", (request, tx) -> enable(request, tx, false))
            .needing(Action.PLATFORM_OPERATE),
        Route.once("POST", PATH + "/{id}/enable", (request, tx) -> enable(request, tx, true))
            .needing(Action.PLATFORM_OPERATE),
        Route.once("DELETE", PATH + "/{id}", this::delete).needing(Action.PLATFORM_OPERATE));
  }

  private record UserView(
      UUID id,
      String username,
      String email,
      List<String> roles,
      String issuer,
      UUID orgId,
      UUID defaultProjectId,
      Instant createdAt,
      Optional<Instant> disabledAt) {
    static UserView of(Listed person) {
      return new UserView(
          person.id(),
          person.username(),
          person.email(),
          person.admin() ? List.of("user", "admin") : List.of("user"),
          person.issuer(),
          person.tenant(),
          person.defaultProject(),
          person.madeAt(),
          person.disabledAt());
    }
  }

  private record UserPage(List<UserView> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    Page<Listed> page =
        roster.list(request.caller(), request.query("username"), request.cursorId(), limit);
    return Reply.json(
        200, new UserPage(page.items().stream().map(UserView::of).toList(), page.next()));
  }

  private Reply get(Request request) {
    return Reply.json(
        200, UserView.of(roster.get(request.caller(), request.id("id", Kind.PERSON))));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = PersonalRoutes.username(fields);
    String password = PersonalRoutes.newPassword(fields, name, passwordLengthLeast);
    fields.check();
    Listed made = roster.create(tx, request.caller(), name, password);
    return Reply.json(201, UserView.of(made)).with("Location", PATH + "/" + made.id());
  }

  private Reply enable(Request request, Tx tx, boolean enabled) {
    UUID id = request.id("id", Kind.PERSON);
    return Reply.json(200, UserView.of(roster.enable(tx, request.caller(), id, enabled)));
  }

  private Reply delete(Request request, Tx tx) {
    roster.delete(tx, request.caller(), request.id("id", Kind.PERSON));
    return Reply.empty(204);
  }
}
