package gpuaas.main;

import gpuaas.gateway.SessionLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** SSH sessions in the log. */
final class SessionLines implements SessionLog {

  private static final Logger log = LoggerFactory.getLogger("gpuaas.ssh");

  @Override
  public void opened(Session session) {
    log.info(
        "lease {} opened by {} from {}",
        session.lease(),
        session.keyFingerprint(),
        session.remoteAddress());
  }

  @Override
  public void closed(Session session, long bytesIn, long bytesOut) {
    log.info(
        "lease {} left by {}: {} bytes in, {} out",
        session.lease(),
        session.keyFingerprint(),
        bytesIn,
        bytesOut);
  }

  @Override
  public void refused(
      String userName, String keyFingerprint, String remoteAddress, Refusal reason) {
    log.info("refused {} from {} with {}: {}", userName, remoteAddress, keyFingerprint, reason);
  }
}
