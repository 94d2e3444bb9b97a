package gpuaas.gpuaas;

import gpuaas.access.Terminals;
import gpuaas.base.Action;
import gpuaas.base.Credential;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.http.Origins;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.http.SocketRoute;
import gpuaas.http.SocketRoute.Handshake;
import gpuaas.http.SocketRoute.Listener;
import gpuaas.http.SocketRoute.Socket;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.lease.Leases;
import java.util.List;
import java.util.Optional;

/** Tokens for terminals in the browser. The terminals themselves are the gateway's. */
final class TerminalRoutes {

  private static final String SOCKET_PATH = "/ws/terminal/{id}";
  private static final int FOREIGN_PAGE = 4403;

  private final Leases leases;
  private final Terminals terminals;
  private final Database database;
  private final Optional<String> publicUrl;
  private final Origins origins;
  private final GpuaasAuth auth;
  private final SocketRoute.Opener opener;

  TerminalRoutes(
      Leases leases,
      Terminals terminals,
      Database database,
      Origins origins,
      GpuaasAuth auth,
      SocketRoute.Opener opener) {
    this.leases = leases;
    this.terminals = terminals;
    this.database = database;
    this.publicUrl = origins.publicUrl();
    this.origins = origins;
    this.auth = auth;
    this.opener = opener;
  }

  List<Route> routes() {
    // No idempotency key: each token is another one.
    return List.of(
        new Route(
                "POST",
                "/api/v1/allocations/{id}/terminal-token",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::mint))
            .needing(Action.TERMINAL_OPEN));
  }

  List<SocketRoute> sockets() {
    return List.of(new SocketRoute(SOCKET_PATH, this::open));
  }

  /** A page of somebody else does not even get its token looked at. */
  private Listener open(Handshake handshake, Socket socket) {
    if (origins.allow(handshake)) {
      return opener.open(handshake, socket);
    }
    socket.close(FOREIGN_PAGE, "pages of this origin may not open terminals here");
    return Listener.NONE;
  }

  private record TokenView(String token, String wsUrl, long expiresIn) {}

  private Reply mint(Request request) {
    request.caller().require(Action.TERMINAL_OPEN);
    Lease lease = leases.get(request.caller(), request.id("id", Kind.LEASE));
    if (!(lease.state() instanceof LeaseState.Running)) {
      throw new Refused(
          new Refusal.WrongState(
              Kind.LEASE, lease.id().toString(), lease.state().text(), "active"));
    }
    Credential credential = auth.cameWith(request);
    Terminals.Token token =
        database.tx(tx -> terminals.mint(tx, request.caller(), credential, lease.id()));
    String url = socketBase(request) + SOCKET_PATH.replace("{id}", lease.id().toString());
    return Reply.json(201, new TokenView(token.token(), url, token.lifetime().toSeconds()))
        .with("Cache-Control", "no-store");
  }

  /** The address that the world knows, or else the one that this client used. */
  private String socketBase(Request request) {
    String base = publicUrl.orElseGet(() -> "http://" + request.header("host").orElse("localhost"));
    return base.replaceFirst("^http", "ws");
  }
}
