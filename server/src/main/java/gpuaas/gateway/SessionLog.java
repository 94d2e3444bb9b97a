package gpuaas.gateway;

import java.util.UUID;

/** Told of who comes and goes. Called on the threads of the sessions: be quick, do not throw. */
public interface SessionLog {

  /**
   * A session that got in.
   *
   * @param keyFingerprint of the key that opened the door
   * @param remoteAddress the address of the client, without its port
   */
  record Session(UUID lease, String keyFingerprint, String remoteAddress) {}

  /** Why nobody got in. */
  enum Refusal {
    /** No such door, no such key, or no proof; which one is told to nobody. */
    NOT_LET_IN,
    /** The lease has as many sessions as it may have. */
    TOO_MANY_SESSIONS
  }

  /** Somebody got in. */
  void opened(Session session);

  /** The session is over. The bytes are payload, as the client sent and received it. */
  void closed(Session session, long bytesIn, long bytesOut);

  /**
   * A connection that showed a key ended without getting in.
   *
   * @param userName what the client said: at most 64 characters, unprintable ones replaced
   * @param keyFingerprint the last key it showed
   */
  void refused(String userName, String keyFingerprint, String remoteAddress, Refusal reason);
}
