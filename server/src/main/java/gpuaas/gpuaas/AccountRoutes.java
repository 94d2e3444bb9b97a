package gpuaas.gpuaas;

import gpuaas.base.Caller;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/** Who am I? */
final class AccountRoutes {

  List<Route> routes() {
    return List.of(Route.get("/api/v1/me", AccountRoutes::me));
  }

  private record Me(
      UUID id,
      UUID userId,
      String username,
      List<String> roles,
      UUID orgId,
      UUID tenantId,
      UUID projectId,
      String principalType) {}

  private static Reply me(Request request) {
    Caller caller = request.caller();
    List<String> roles =
        caller.roles().stream().map(role -> role.name().toLowerCase(Locale.ROOT)).sorted().toList();
    return Reply.json(
        200,
        new Me(
            caller.user(),
            caller.user(),
            caller.name(),
            roles.reversed(),
            caller.tenant(),
            caller.tenant(),
            caller.project(),
            "human"));
  }
}
