package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.idp.LogInProvider;
import gpuaas.session.Session;
import gpuaas.session.Sessions;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** Where the caller is logged in, and ending that. */
final class SessionRoutes {

  private final Sessions sessions;
  private final LogInProvider provider;
  private final GpuaasAuth auth;

  SessionRoutes(GpuaasDialect.Membership membership, GpuaasAuth auth) {
    this.sessions = membership.admittance().sessions();
    this.provider = membership.admittance().provider();
    this.auth = auth;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/api/v1/auth/sessions", this::list).needing(Action.SELF_READ),
        Route.change("DELETE", "/api/v1/auth/sessions/{id}", this::revoke)
            .needing(Action.SELF_WRITE),
        new Route(
                "POST",
                "/api/v1/auth/logout",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::logOut))
            .needing(Action.SELF_WRITE));
  }

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
