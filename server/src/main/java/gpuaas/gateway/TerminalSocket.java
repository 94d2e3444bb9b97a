package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.access.Terminals;
import gpuaas.access.Terminals.Redeemed;
import gpuaas.db.DatabaseGone;
import gpuaas.http.SocketRoute;
import gpuaas.http.SocketRoute.Handshake;
import gpuaas.http.SocketRoute.Listener;
import gpuaas.http.SocketRoute.Socket;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Terminals over WebSockets. The token comes as a subprotocol or as a bearer token, never in the
 * address; it opens one terminal, once.
 */
public final class TerminalSocket implements SocketRoute.Opener {

  private static final Logger log = LoggerFactory.getLogger(TerminalSocket.class);
  private static final int BAD_TOKEN = 4401;
  private static final int NOT_RUNNING = 4409;
  private static final int TRY_LATER = 1013;
  private static final String RELEASED = "the allocation was released";
  private static final String NOT_ALLOWED = "what opened this terminal opens it no longer";
  private static final ExecRequest.Terminal TERMINAL =
      new ExecRequest.Terminal("xterm-256color", 80, 24);

  private final Terminals terminals;
  private final Leases leases;
  private final Providers providers;
  private final Activity activity;
  private final Duration idleLimit;
  private final BiPredicate<Redeemed.Opened, Lease> still;
  private final Runnable rejected;
  private final Map<UUID, Set<Open>> open = new ConcurrentHashMap<>();

  /** A terminal, who is in it, and what they came with. */
  private record Open(TerminalBridge bridge, Redeemed.Opened opened) {}

  /**
   * @param still whether somebody may be in a lease's terminal who came in a while ago
   * @param rejected told of each token that was shown and opens nothing
   */
  public TerminalSocket(
      Terminals terminals,
      Leases leases,
      Providers providers,
      Activity activity,
      Duration idleLimit,
      BiPredicate<Redeemed.Opened, Lease> still,
      Runnable rejected) {
    this.still = still;
    this.rejected = rejected;
    this.terminals = terminals;
    this.leases = leases;
    this.providers = providers;
    this.activity = activity;
    this.idleLimit = idleLimit;
  }

  /** Ends the terminals of a lease: it was released. */
  public void closeAll(UUID lease) {
    Optional.ofNullable(open.remove(lease))
        .ifPresent(all -> all.forEach(one -> end(lease, one, RELEASED)));
  }

  /** Ends the terminals of those who may not be in them any more. */
  public void recheckAll() {
    recheck(_ -> true);
  }

  /** Ends those of a person or a service account who may not be in them any more. */
  public void recheck(UUID person) {
    recheck(one -> one.opened().person().equals(person));
  }

  private void recheck(Predicate<Open> whose) {
    open.forEach((id, all) -> {
      List<Open> some = all.stream().filter(whose).toList();
      if (!some.isEmpty()) {
        leases
            .find(id)
            .ifPresent(lease ->
                some.stream()
                    .filter(one -> !still.test(one.opened(), lease))
                    .forEach(one -> end(id, one, NOT_ALLOWED)));
      }
    });
  }

  private static void end(UUID lease, Open one, String reason) {
    Thread.ofVirtual().name("terminal-end-" + lease).start(() -> one.bridge().revoked(reason));
  }

  @Override
  public Listener open(Handshake handshake, Socket socket) {
    try {
      Optional<Redeemed.Opened> opened = redeem(handshake);
      Optional<Lease> lease = opened.flatMap(it -> leases.find(it.lease()));
      if (opened.isEmpty() || lease.isEmpty() || !still.test(opened.get(), lease.get())) {
        return refused(
            socket, BAD_TOKEN, "the token is not valid for this terminal; ask for a new one");
      }
      if (!(lease.get().state() instanceof Running running)) {
        return refused(socket, NOT_RUNNING, "the allocation is not active");
      }
      Optional<HasExec> exec = providers.ability(running.instance(), HasExec.class);
      if (exec.isEmpty()) {
        return refused(socket, NOT_RUNNING, "this allocation is reached by SSH only");
      }
      ExecChannel process =
          exec.get()
              .exec(
                  running.instance(), new ExecRequest(List.of(), Optional.of(TERMINAL), Map.of()));
      Listener listener = connected(opened.get(), process, handshake, socket);
      recheck(opened.get().person()); // something may have ended while it was being opened
      if (!isRunning(lease.get().id())) {
        closeAll(lease.get().id()); // it was released while its terminal was being opened
      }
      return listener;
    } catch (DatabaseGone e) {
      return refused(socket, TRY_LATER, "the server cannot check the token now; try again");
    } catch (ProviderException e) {
      log.info("a terminal could not be opened: {}", e.getMessage());
      return refused(socket, NOT_RUNNING, "the instance does not answer; is it still active?");
    } catch (RuntimeException e) {
      log.error("a terminal could not be opened", e);
      return refused(socket, TerminalBridge.BROKEN, "the terminal could not be opened");
    }
  }

  private boolean isRunning(UUID lease) {
    return leases.find(lease).map(Lease::state).filter(Running.class::isInstance).isPresent();
  }

  /**
   * The lease in the path, if the token is for it. A token that was shown is used up, whatever for.
   */
  private Optional<Redeemed.Opened> redeem(Handshake handshake) {
    UUID id;
    try {
      id = UUID.fromString(handshake.pathParameters().getOrDefault("id", ""));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    Optional<Redeemed> redeemed = token(handshake).map(token -> terminals.redeem(token, id));
    return redeemed.flatMap(came ->
        switch (came) {
          case Redeemed.Opened opened -> Optional.of(opened);
          case Redeemed.Unknown _, Redeemed.ForAnotherLease _ -> {
            rejected.run();
            yield Optional.empty();
          }
        });
  }

  private static Optional<String> token(Handshake handshake) {
    Optional<String> offered =
        handshake.subprotocols().stream()
            .filter(name -> !name.equals(TerminalBridge.CONTROL_PROTOCOL))
            .findFirst();
    return offered.or(() ->
        Optional.ofNullable(handshake.headers().get("authorization"))
            .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
            .map(value -> value.substring(7).strip()));
  }

  private Listener connected(
      Redeemed.Opened opened, ExecChannel process, Handshake handshake, Socket socket) {
    UUID lease = opened.lease();
    boolean control = handshake.subprotocols().contains(TerminalBridge.CONTROL_PROTOCOL);
    TerminalBridge bridge = new TerminalBridge(process, peer(socket), control, lease, activity);
    Open one = new Open(bridge, opened);
    open.computeIfAbsent(lease, _ -> ConcurrentHashMap.newKeySet()).add(one);
    Thread.ofVirtual().name("terminal-" + lease).start(() -> run(lease, one));
    return new Listener() {
      @Override
      public void received(byte[] data, boolean text) {
        if (text) {
          bridge.receive(new String(data, UTF_8));
        } else {
          bridge.receive(data);
        }
      }

      @Override
      public void closed() {
        bridge.peerClosed();
      }
    };
  }

  private void run(UUID lease, Open one) {
    try {
      one.bridge().run(idleLimit);
    } finally {
      open.computeIfPresent(
          lease,
          (_, bridges) -> {
            bridges.remove(one);
            return bridges.isEmpty() ? null : bridges;
          });
    }
  }

  private static TerminalPeer peer(Socket socket) {
    return new TerminalPeer() {
      @Override
      public void sendText(String text) throws IOException {
        if (!socket.send(text)) {
          throw new IOException("the socket is closed");
        }
      }

      @Override
      public void close(int code, String reason) {
        socket.close(code, reason);
      }
    };
  }

  private static Listener refused(Socket socket, int code, String reason) {
    socket.close(code, reason);
    return Listener.NONE;
  }
}
