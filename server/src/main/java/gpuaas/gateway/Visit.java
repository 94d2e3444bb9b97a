package gpuaas.gateway;

import gpuaas.access.SshKey;
import java.util.UUID;
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
