package gpuaas.gateway;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.session.helpers.AbstractConnectionService;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.session.ServerSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everybody who is connected. Keeps the limits, and goes round once a second: who is idle, gone or
 * has lost the right is sent away.
 */
final class Visits implements SessionListener, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Visits.class);
  private static final AttributeKey<Visit> VISIT = new AttributeKey<>();
  private static final AttributeKey<Boolean> TOO_MANY = new AttributeKey<>();
  private static final long FAREWELL_MILLIS_MOST = 5000;
  private static final int MOST_UNANSWERED = 10;
  private static final String LOST_RIGHT = "The lease has ended, or your key no longer opens it.";

  private final GatewaySettings settings;
  private final KeyCheck keys;
  private final SessionLog log;
  private final Activity activity;
  private final Map<Session, String> unknown = new ConcurrentHashMap<>();
  private final Map<Session, Visit> visits = new ConcurrentHashMap<>();
  private final Windows windows = new Windows(Runtime.getRuntime().maxMemory() / 8);
  private final ScheduledExecutorService rounds =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofVirtual().name("gateway-rounds").factory());

  Visits(GatewaySettings settings, KeyCheck keys, SessionLog log, Activity activity) {
    this.settings = settings;
    this.keys = keys;
    this.log = log;
    this.activity = activity;
    var _ = rounds.scheduleWithFixedDelay(this::round, 1, 1, TimeUnit.SECONDS);
  }

  Windows windows() {
    return windows;
  }

  /** A place for one more channel of a session. */
  boolean takePlace(Visit visit) {
    return visit.takePlace(settings.maxChannelsPerSession());
  }

  static @Nullable Visit of(Session session) {
    return session.getAttribute(VISIT);
  }

  /**
   * Looks the right of an open session up again; whoever has lost it is sent away. Empty also when
   * the look-up failed: then nothing new is opened, but nobody is sent away either.
   */
  Optional<Door> admit(Visit visit) {
    Optional<Door> door;
    try {
      door = keys.find(visit.session.getUsername());
    } catch (RuntimeException e) {
      LOG.error("looking up a door failed; open sessions stay, new channels are refused", e);
      return Optional.empty();
    }
    Optional<Door> open =
        door.filter(found -> found.lease().equals(visit.lease))
            .filter(found -> found.holder(visit.key.blob()).isPresent());
    if (open.isEmpty()) {
      sendAway(visit.session, LOST_RIGHT);
    }
    return open;
  }

  /** Sends everybody of a lease away. */
  void end(UUID lease) {
    of(lease).forEach(visit -> sendAway(visit.session, LOST_RIGHT));
  }

  /** Sends those of a lease away who have lost the right. */
  void recheck(UUID lease) {
    of(lease).forEach(this::admit);
  }

  /** Sends all of those away who have lost the right. */
  void recheckAll() {
    visits.values().forEach(this::admit);
  }

  int count(UUID lease) {
    return of(lease).size();
  }

  long bytesOut(UUID lease) {
    return of(lease).stream().mapToLong(Visit::bytesOut).sum();
  }

  private List<Visit> of(UUID lease) {
    return visits.values().stream().filter(visit -> visit.lease.equals(lease)).toList();
  }

  @Override
  public void sessionCreated(Session session) {
    String address = address(session);
    unknown.put(session, address);
    Predicate<String> same = address::equals;
    if (unknown.size() + visits.size() > settings.maxConnections()
        || unknown.values().stream().filter(same).count() > settings.maxUnknownPerAddress()) {
      session.close(true);
    }
  }

  @Override
  public void sessionEvent(Session session, Event event) {
    if (event != Event.Authenticated) {
      return;
    }
    KeyCheck.Shown shown = session.getAttribute(KeyCheck.SHOWN);
    Optional<KeyCheck.Pass> pass = shown == null ? Optional.empty() : shown.pass();
    if (pass.isEmpty() || !(session instanceof ServerSession server)) {
      session.close(true); // cannot be: nobody is authenticated without
      return;
    }
    Visit visit = new Visit(server, pass.get(), address(session), activity);
    if (!enter(visit)) {
      session.setAttribute(TOO_MANY, true);
      sendAway(session, "This lease has too many open sessions.");
      return;
    }
    session.setAttribute(VISIT, visit);
    activity.touch(visit.lease);
    log.opened(visit.logged);
    if (session.isClosing()) { // and perhaps its end was told before its beginning
      leave(session);
    }
  }

  private synchronized boolean enter(Visit visit) {
    if (count(visit.lease) >= settings.maxSessionsPerLease()) {
      return false;
    }
    unknown.remove(visit.session);
    visits.put(visit.session, visit);
    return true;
  }

  @Override
  public void sessionClosed(Session session) {
    leave(session);
    String address = unknown.remove(session);
    KeyCheck.Shown shown = session.getAttribute(KeyCheck.SHOWN);
    if (address != null && shown != null) {
      log.refused(
          printable(shown.userName()),
          shown.fingerprint(),
          address,
          session.getAttribute(TOO_MANY) == null
              ? SessionLog.Refusal.NOT_LET_IN
              : SessionLog.Refusal.TOO_MANY_SESSIONS);
    }
  }

  private void leave(Session session) {
    Visit visit = visits.remove(session);
    if (visit != null) {
      log.closed(visit.logged, visit.bytesIn(), visit.bytesOut());
    }
  }

  private void round() {
    for (Visit visit : visits.values()) {
      try {
        look(visit, System.nanoTime());
      } catch (IOException | RuntimeException e) {
        LOG.debug("a session failed while it was looked at", e);
        visit.session.close(true);
      }
    }
  }

  private void look(Visit visit, long now) throws IOException {
    long idle = settings.idleLimit().toNanos();
    if (idle > 0 && visit.idleNanos() > idle) {
      sendAway(visit.session, "Nothing happened for too long.");
    } else if (visit.unanswered.get() >= MOST_UNANSWERED) {
      visit.session.close(true);
    } else if (now - visit.lastCheckNanos > settings.recheckInterval().toNanos()) {
      visit.lastCheckNanos = now;
      admit(visit);
    } else if (now - visit.lastKeepAliveNanos > settings.keepAliveInterval().toNanos()) {
      visit.lastKeepAliveNanos = now;
      keepAlive(visit);
    }
  }

  /** Any answer will do: clients that do not know the question say so. */
  private static void keepAlive(Visit visit) throws IOException {
    visit.unanswered.incrementAndGet();
    String request = "keepalive@openssh.com";
    Buffer buffer = visit.session.createBuffer(SshConstants.SSH_MSG_GLOBAL_REQUEST);
    buffer.putString(request);
    buffer.putBoolean(true);
    var _ = visit.session.request(buffer, request, (_, _) -> visit.unanswered.set(0));
  }

  /**
   * Says why, ends what runs on the session, and leaves the hanging up to the client, as long as it
   * does that soon: were it done here at once, what the client sends meanwhile would make its
   * system throw the reason away. Until then {@link #admit} keeps every door shut.
   */
  private void sendAway(Session session, String reason) {
    hangUpAfter(session, 2 * FAREWELL_MILLIS_MOST);
    // On its own thread: at the log-in this one has a packet encoded but not yet sent, and another
    // one before it would garble both.
    Thread.ofVirtual().name("gateway-farewell").start(() -> farewell(session, reason));
  }

  private void farewell(Session session, String reason) {
    try {
      Buffer buffer = session.createBuffer(SshConstants.SSH_MSG_DISCONNECT, reason.length() + 16);
      buffer.putUInt(SshConstants.SSH2_DISCONNECT_BY_APPLICATION);
      buffer.putString(reason);
      buffer.putString("");
      session.writePacket(buffer).verify(FAREWELL_MILLIS_MOST);
      hangUpAfter(session, FAREWELL_MILLIS_MOST);
      if (session.getService(ConnectionService.class) instanceof AbstractConnectionService open) {
        open.getChannels().forEach(channel -> channel.close(true));
      }
    } catch (IOException _) {
      session.close(true);
    }
  }

  private void hangUpAfter(Session session, long millis) {
    try {
      var _ = rounds.schedule(() -> session.close(true), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException _) {
      session.close(true); // the gateway itself is closing
    }
  }

  private static String address(Session session) {
    SocketAddress address = session.getIoSession().getRemoteAddress();
    return address instanceof InetSocketAddress internet
        ? internet.getAddress().getHostAddress()
        : String.valueOf(address);
  }

  private static String printable(String name) {
    String shorter = name.length() > 64 ? name.substring(0, 64) : name;
    return shorter.replaceAll("[^\\x21-\\x7e]", "?");
  }

  @Override
  public void close() {
    rounds.shutdownNow();
    visits.keySet().forEach(this::leave);
  }
}
