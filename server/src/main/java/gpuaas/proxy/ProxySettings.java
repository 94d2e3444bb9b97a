package gpuaas.proxy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the proxy listens, and its limits.
 *
 * @param port 0: any free one
 * @param publicUrl how browsers reach it, without a slash at the end; empty: at the address
 * @param publicHost in place of the address, where there is no public URL
 * @param domain present: each port of a lease has a host name of its own below it
 * @param keyStore present: HTTPS with the key in it
 * @param headLimit the time for all of a request's head, from its first byte
 * @param keepAlive how long a connection may wait for its next request
 * @param answerLimit the time until what listens inside begins to answer
 * @param idleLimit how long no byte may pass in either direction
 * @param connectionsMost of all together
 * @param connectionsMostPerLease that are being forwarded to one lease at a time
 */
public record ProxySettings(
    String address,
    int port,
    Optional<String> publicUrl,
    String publicHost,
    Optional<String> domain,
    Optional<KeyStoreFile> keyStore,
    Duration headLimit,
    Duration keepAlive,
    Duration answerLimit,
    Duration idleLimit,
    int connectionsMost,
    int connectionsMostPerLease) {

  /** A PKCS12 file with a key and its certificates, and the file that holds its password. */
  public record KeyStoreFile(Path file, Path passwordFile) {}

  /** Loopback, any port, and limits that people do not notice. */
  public static ProxySettings standard() {
    return new ProxySettings(
        "127.0.0.1",
        0,
        Optional.empty(),
        "127.0.0.1",
        Optional.empty(),
        Optional.empty(),
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(120),
        Duration.ofMinutes(10),
        4000,
        256);
  }
}
