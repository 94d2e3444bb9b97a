package gpuaas.gateway;

import gpuaas.access.SshKey;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.apache.sshd.server.session.ServerSession;

/** One SSH session that got in, and what it did so far. */
final class Visit {

  final ServerSession session;

  final UUID lease;
  final SshKey key;
  final SessionLog.Session logged;

  private final Activity activity;
  private final LongAdder in = new LongAdder();
  private final LongAdder out = new LongAdder();
  private volatile long lastByteNanos = System.nanoTime();

  /** Bytes that may be on their way to the client's socket, over all channels: it is one socket. */
  final Semaphore unsent = new Semaphore(MOST_UNSENT_BYTES, true);

  private static final int MOST_UNSENT_BYTES = 1 << 20;
  private final AtomicInteger channels = new AtomicInteger();

  // Only the rounds of Visits use these.
  long lastKeepAliveNanos = System.nanoTime();
  long lastCheckNanos = System.nanoTime();
  final AtomicInteger unanswered = new AtomicInteger();

  Visit(ServerSession session, KeyCheck.Pass pass, String remoteAddress, Activity activity) {
    this.session = session;
    this.lease = pass.door().lease();
    this.key = pass.key();
    this.logged = new SessionLog.Session(lease, key.fingerprint(), remoteAddress);
    this.activity = activity;
  }

  /** A place for one more channel; false: there is none. */
  boolean takePlace(int most) {
    if (channels.incrementAndGet() <= most) {
      return true;
    }
    channels.decrementAndGet();
    return false;
  }

  void leavePlace() {
    channels.decrementAndGet();
  }

  /** Payload that the client sent. */
  void received(int bytes) {
    in.add(bytes);
    touch();
  }

  /** Payload that the client was sent. */
  void sent(int bytes) {
    out.add(bytes);
    touch();
  }

  private void touch() {
    lastByteNanos = System.nanoTime();
    activity.touch(lease);
  }

  long idleNanos() {
    return System.nanoTime() - lastByteNanos;
  }

  long bytesIn() {
    return in.sum();
  }

  long bytesOut() {
    return out.sum();
  }
}
