package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Role;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Who am I? */
final class AccountRoutes {

  List<Route> routes() {
    return List.of(Route.get("/api/v1/me", AccountRoutes::me).needing(Action.SELF_READ));
  }

  private record Me(
      UUID id,
      UUID userId,
      String username,
      List<String> roles,
      Optional<String> tenantRole,
      Optional<String> projectRole,
      UUID orgId,
      UUID tenantId,
      UUID projectId,
      String principalType) {}

  private static Reply me(Request request) {
    Caller caller = request.caller();
    return Reply.json(
        200,
        new Me(
            caller.user(),
            caller.user(),
            caller.name(),
            caller.isAdmin() ? List.of("user", "admin") : List.of("user"),
            caller.standing().inTenant().map(Role::text),
            caller.standing().effective().map(Role::text),
            caller.tenant(),
            caller.tenant(),
            caller.project(),
            caller.standing().only().isPresent() ? "service_account" : "human"));
  }
}
