package gpuaas.gateway;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How the SSH gateway listens, and its limits.
 *
 * @param port 0: any free one
 * @param hostKeyFile the ed25519 host key, made at the first start; an ECDSA key for old clients
 *     stands beside it with {@code _ecdsa} at the end of its name
 * @param idleLimit a session without a byte of payload for so long is ended; zero: never
 * @param keepAliveInterval how often the client must prove to be there; it may miss ten, as one
 *     that was stopped with Ctrl-Z or sleeps with its laptop does
 * @param recheckInterval how often an open session's right is looked up again, beside {@link
 *     SshGateway#recheck} and every new channel
 * @param maxSessionsPerLease open sessions; each may carry many channels
 * @param maxChannelsPerSession open channels of one session: shells, transfers and connections
 * @param maxAuthTries wrong keys in one connection
 * @param loginGrace the time a connection has to log in
 * @param maxConnections of the whole gateway, logged in or not
 * @param maxUnknownPerAddress connections from one address that are not logged in yet
 */
public record GatewaySettings(
    String bindAddress,
    int port,
    Path hostKeyFile,
    Duration idleLimit,
    Duration keepAliveInterval,
    Duration recheckInterval,
    int maxSessionsPerLease,
    int maxChannelsPerSession,
    int maxAuthTries,
    Duration loginGrace,
    int maxConnections,
    int maxUnknownPerAddress) {

  /** Loopback, any port, and limits that people do not notice. */
  public static GatewaySettings defaults(Path hostKeyFile) {
    return new GatewaySettings(
        "127.0.0.1",
        0,
        hostKeyFile,
        Duration.ofHours(12),
        Duration.ofSeconds(30),
        Duration.ofSeconds(10),
        20,
        100,
        6,
        Duration.ofSeconds(30),
        2000,
        64);
  }

  /** The same, listening elsewhere. */
  public GatewaySettings listening(String address, int onPort) {
    return new GatewaySettings(
        address,
        onPort,
        hostKeyFile,
        idleLimit,
        keepAliveInterval,
        recheckInterval,
        maxSessionsPerLease,
        maxChannelsPerSession,
        maxAuthTries,
        loginGrace,
        maxConnections,
        maxUnknownPerAddress);
  }

  /** The same, with another patience for sessions in which nothing happens. */
  public GatewaySettings idleAfter(Duration limit, Duration keepAlive) {
    return new GatewaySettings(
        bindAddress,
        port,
        hostKeyFile,
        limit,
        keepAlive,
        recheckInterval,
        maxSessionsPerLease,
        maxChannelsPerSession,
        maxAuthTries,
        loginGrace,
        maxConnections,
        maxUnknownPerAddress);
  }

  /** The same, looking the right of open sessions up at another pace. */
  public GatewaySettings recheckingEvery(Duration interval) {
    return new GatewaySettings(
        bindAddress,
        port,
        hostKeyFile,
        idleLimit,
        keepAliveInterval,
        interval,
        maxSessionsPerLease,
        maxChannelsPerSession,
        maxAuthTries,
        loginGrace,
        maxConnections,
        maxUnknownPerAddress);
  }
}
