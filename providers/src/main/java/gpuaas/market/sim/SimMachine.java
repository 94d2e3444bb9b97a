package gpuaas.market.sim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;

/**
 * Stands for a rented machine: an SSH server on loopback whose commands run on this machine, in a
 * folder of their own. Keeps nobody apart from anybody.
 */
final class SimMachine implements AutoCloseable {

  private static final String LOOPBACK = "127.0.0.1";

  private final SshServer server;

  /** A public key, and from when on it lets in. */
  record Key(String line, Instant from) {}

  private SimMachine(SshServer server) {
    this.server = server;
  }

  /** Starts one on a port of its own. */
  static SimMachine start(Path home, String user, Supplier<List<Key>> keys, InstantSource clock) {
    try {
      Files.createDirectories(home);
      SshServer server = SshServer.setUpDefaultServer();
      server.setHost(LOOPBACK);
      server.setPort(0);
      server.setNioWorkers(1);
      SimpleGeneratorHostKeyProvider hostKeys = new SimpleGeneratorHostKeyProvider();
      hostKeys.setAlgorithm(KeyUtils.EC_ALGORITHM);
      hostKeys.setKeySize(256);
      server.setKeyPairProvider(hostKeys);
      server.setPasswordAuthenticator(null);
      server.setPublickeyAuthenticator(
          (name, key, _) -> name.equals(user) && letsIn(key, keys.get(), clock.instant()));
      server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
      server.setCommandFactory((_, line) -> new SimCommand(home, line));
      server.setShellFactory(_ -> new SimCommand(home, ""));
      CoreModuleProperties.TCP_NODELAY.set(server, true);
      server.start();
      return new SimMachine(server);
    } catch (IOException e) {
      throw new UncheckedIOException("no machine in " + home, e);
    }
  }

  private static boolean letsIn(PublicKey shown, List<Key> keys, Instant now) {
    return keys.stream()
        .filter(key -> !now.isBefore(key.from()))
        .anyMatch(key -> KeyUtils.compareKeys(shown, parse(key.line())));
  }

  private static PublicKey parse(String line) {
    try {
      return AuthorizedKeyEntry.parseAuthorizedKeyEntry(line).resolvePublicKey(null, null, null);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException("not a public key", e);
    }
  }

  /** Where it listens. */
  int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    try {
      server.stop(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
