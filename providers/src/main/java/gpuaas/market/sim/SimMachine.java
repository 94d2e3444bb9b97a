package gpuaas.market.sim;

import gpuaas.local.pty.PipeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;

/**
 * Stands for a rented machine: an SSH server on loopback whose commands run on this machine, in a
 * folder of their own, and a small service for each open port. Keeps nobody apart from anybody.
 */
final class SimMachine implements AutoCloseable {

  private static final String LOOPBACK = "127.0.0.1";

  private final Optional<SshServer> server;
  private final Map<Integer, SimService> services;
  private final Optional<PipeProcess> startCommand;

  /** A public key, and from when on it lets in. */
  record Key(String line, Instant from) {}

  private SimMachine(
      Optional<SshServer> server,
      Map<Integer, SimService> services,
      Optional<PipeProcess> startCommand) {
    this.server = server;
    this.services = services;
    this.startCommand = startCommand;
  }

  /**
   * Starts one, on ports of its own.
   *
   * @param healthy what its services say of themselves
   * @param logins counts who has come in
   */
  static SimMachine start(
      Path home,
      String user,
      SimSetup setup,
      Supplier<List<Key>> keys,
      BooleanSupplier healthy,
      LongAdder logins,
      InstantSource clock) {
    try {
      Files.createDirectories(home);
      Map<Integer, SimService> services = new HashMap<>();
      setup
          .ports()
          .forEach(
              port -> services.computeIfAbsent(port, inside -> SimService.start(inside, healthy)));
      boolean command = setup.shell() && !setup.startCommand().isEmpty();
      return new SimMachine(
          setup.shell() ? Optional.of(ssh(home, user, keys, logins, clock)) : Optional.empty(),
          services,
          command ? Optional.of(begin(home, setup.startCommand())) : Optional.empty());
    } catch (IOException e) {
      throw new UncheckedIOException("no machine in " + home, e);
    }
  }

  private static SshServer ssh(
      Path home, String user, Supplier<List<Key>> keys, LongAdder logins, InstantSource clock)
      throws IOException {
    SshServer server = SshServer.setUpDefaultServer();
    server.setHost(LOOPBACK);
    server.setPort(0);
    server.setNioWorkers(1);
    // Those that keep a secret for decades take much of a processor, and there is none to keep.
    server.setKeyExchangeFactories(
        server.getKeyExchangeFactories().stream()
            .filter(exchange -> exchange.getName().startsWith("curve25519"))
            .toList());
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
    server.addSessionListener(
        new SessionListener() {
          @Override
          public void sessionEvent(Session session, Event event) {
            if (event == Event.Authenticated) {
              logins.increment();
            }
          }
        });
    server.start();
    return server;
  }

  private static PipeProcess begin(Path home, String command) {
    String line = "cd \"$HOME\" && exec >start-command.log 2>&1 </dev/null; eval \"$1\"";
    return PipeProcess.start(
        List.of("/bin/sh", "-c", line, "sh", command), SimCommand.variables(home));
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

  /** Where it answers SSH, if it does. */
  Optional<Integer> port() {
    return server.map(SshServer::getPort);
  }

  /** Where each open port is, beside SSH. */
  Map<Integer, Integer> openPorts() {
    return services.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().port()));
  }

  @Override
  public void close() {
    services.values().forEach(SimService::close);
    startCommand.ifPresent(PipeProcess::close);
    try {
      if (server.isPresent()) {
        server.get().stop(true);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
