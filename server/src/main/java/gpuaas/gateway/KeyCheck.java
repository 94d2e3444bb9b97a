package gpuaas.gateway;

import gpuaas.access.SshKey;
import java.io.IOException;
import java.security.PublicKey;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.server.auth.pubkey.PublickeyAuthenticator;
import org.apache.sshd.server.session.ServerSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides whether a key opens the door that a user name leads to. A name that leads nowhere and a
 * wrong key look the same and take the same time, and each further wrong key takes longer.
 *
 * <p>Runs on a virtual thread of the session, so it may wait. That the client has the private half
 * is proved afterwards, by the SSH library.
 */
final class KeyCheck implements PublickeyAuthenticator {

  private static final Logger LOG = LoggerFactory.getLogger(KeyCheck.class);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final long PAUSE_MILLIS = 50;

  /** What the client showed last; a wrong key has no pass. */
  record Shown(String userName, String fingerprint, Optional<Pass> pass) {}

  /** A key and the door that it opens. */
  record Pass(Door door, SshKey key) {}

  static final AttributeKey<Shown> SHOWN = new AttributeKey<>();
  private static final AttributeKey<Integer> WRONG = new AttributeKey<>();

  private final Doors doors;
  private final int maxTries;

  KeyCheck(Doors doors, int maxTries) {
    this.doors = doors;
    this.maxTries = maxTries;
  }

  /** The door behind a name; names that no lease can have are not even looked up. */
  Optional<Door> find(String userName) {
    return NAME.matcher(userName).matches() ? doors.find(userName) : Optional.empty();
  }

  private Optional<Door> findOrNone(String userName) {
    try {
      return find(userName);
    } catch (RuntimeException e) {
      LOG.error("looking up a door failed; nobody gets in by it", e);
      return Optional.empty();
    }
  }

  @Override
  public boolean authenticate(String userName, PublicKey key, ServerSession session) {
    long start = System.nanoTime();
    ByteArrayBuffer buffer = new ByteArrayBuffer();
    buffer.putRawPublicKey(key);
    byte[] bytes = buffer.getCompactData();
    String blob = Base64.getEncoder().encodeToString(bytes);
    Optional<Pass> pass =
        findOrNone(userName)
            .flatMap(door -> door.holder(blob).map(holder -> new Pass(door, holder)));
    session.setAttribute(SHOWN, new Shown(userName, SshKey.fingerprint(bytes), pass));
    if (pass.isPresent()) {
      return true;
    }
    Integer before = session.getAttribute(WRONG);
    int wrong = before == null ? 1 : before + 1;
    session.setAttribute(WRONG, wrong);
    waitUntil(start + TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS * wrong));
    if (wrong >= maxTries) {
      disconnect(session);
    }
    return false;
  }

  private static void waitUntil(long nanoTime) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanoTime - System.nanoTime());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void disconnect(ServerSession session) {
    try {
      session.disconnect(
          SshConstants.SSH2_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE,
          "Too many authentication failures");
    } catch (IOException _) {
      session.close(true);
    }
  }
}
