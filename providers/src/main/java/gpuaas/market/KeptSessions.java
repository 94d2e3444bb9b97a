package gpuaas.market;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;

/**
 * Connections to machines that are asked again and again, kept for the next time; the one that was
 * not used for longest is given up first. Whoever takes one has it alone.
 */
final class KeptSessions implements AutoCloseable {

  private static final int MOST = 256;

  private final Map<String, ClientSession> sessions = new LinkedHashMap<>();

  /** One that is open still, if there is one. */
  synchronized Optional<ClientSession> take(String machine) {
    return Optional.ofNullable(sessions.remove(machine)).filter(ClientSession::isOpen);
  }

  synchronized void put(String machine, ClientSession session) {
    close(sessions.put(machine, session));
    if (sessions.size() > MOST) {
      close(sessions.remove(sessions.keySet().iterator().next()));
    }
  }

  /** Nobody will ask this machine any more. */
  synchronized void forget(String machine) {
    close(sessions.remove(machine));
  }

  private static void close(@Nullable ClientSession session) {
    if (session != null) {
      session.close(true);
    }
  }

  @Override
  public synchronized void close() {
    sessions.values().forEach(KeptSessions::close);
    sessions.clear();
  }
}
