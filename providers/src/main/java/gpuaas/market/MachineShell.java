package gpuaas.market;

import gpuaas.spi.Endpoint;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.channel.PtyChannelConfiguration;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;

/**
 * The way into rented machines: SSH with the deployment's own key. Tenants' keys never get there;
 * the gateway asks for them at every entry, so that a key which is deleted opens nothing. A machine
 * must for ever show the host key that it showed at first.
 */
public final class MachineShell implements AutoCloseable {

  private static final AttributeKey<String> MACHINE = new AttributeKey<>();
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
  private static final Duration ALIVE_EVERY = Duration.ofSeconds(15);
  private static final int MISSED_MOST = 3;

  /** The longest answer, in bytes, that is taken from a script. */
  private static final int ANSWER_MOST = 16 * 1024;

  private final SshClient client;
  private final MachineKeys keys;
  private final Duration limit;
  private final KeptSessions kept = new KeptSessions();

  /**
   * @param limit for connecting, logging in and starting a command, each
   */
  public MachineShell(MachineKeys keys, Duration limit) {
    this.keys = keys;
    this.limit = limit;
    client = SshClient.setUpDefaultClient();
    // Nothing of the account that the server runs as: no configuration, keys or agent.
    client.setHostConfigEntryResolver(HostConfigEntryResolver.EMPTY);
    client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
    client.setAgentFactory(null);
    client.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
    client.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
    client.setServerKeyVerifier((session, _, key) -> isExpected(session, key));
    CoreModuleProperties.TCP_NODELAY.set(client, true);
    CoreModuleProperties.HEARTBEAT_INTERVAL.set(client, ALIVE_EVERY);
    CoreModuleProperties.HEARTBEAT_NO_REPLY_MAX.set(client, MISSED_MOST);
    client.start();
  }

  /** The keys it enters with. */
  public MachineKeys keys() {
    return keys;
  }

  /** True when somebody has been in this machine. */
  public boolean hasEntered(String machine) {
    return keys.seen(machine).isPresent();
  }

  /** Whether a command runs there; from the first time on the machine is known by its host key. */
  public boolean enter(String machine, Endpoint at) {
    try (ClientSession session = open(machine, at);
        ChannelExec channel = session.createExecChannel("true")) {
      channel.open().verify(limit);
      PublicKey shown = session.getServerKey();
      if (shown == null) {
        return false;
      }
      keys.remember(machine, shown);
      return true;
    } catch (IOException | UnresolvedAddressException e) {
      return false;
    }
  }

  /**
   * Starts a command, on a connection of its own.
   *
   * @throws ProviderException.Unavailable when the machine does not let us in
   */
  public ExecChannel exec(String machine, Endpoint at, ExecRequest request) {
    String line = line(request);
    ClientSession session = null;
    try {
      session = open(machine, at);
      ChannelExec channel =
          session.createExecChannel(
              line, request.terminal().map(MachineShell::terminal).orElse(null), Map.of());
      if (request.terminal().isPresent()) {
        channel.setUsePty(true);
      }
      SshExec exec = new SshExec(session, channel);
      channel.open().verify(limit);
      return exec;
    } catch (IOException | UnresolvedAddressException e) {
      if (session != null) {
        session.close(true);
      }
      throw new ProviderException.Unavailable("machine " + machine + " does not let us in", e);
    }
  }

  /**
   * What a script says, at most so much of it as {@link #ANSWER_MOST}. The connection is kept for
   * the next time; one that has ended meanwhile is replaced.
   *
   * @throws ProviderException.Unavailable when the machine does not let us in, or takes too long
   */
  String ask(String machine, Endpoint at, String script) {
    String line = "exec sh -c " + quoted(script) + " 2>/dev/null";
    Optional<ClientSession> before = kept.take(machine);
    if (before.isPresent()) {
      try {
        return ask(machine, before.get(), line);
      } catch (IOException e) {
        before.get().close(true); // it had ended, though nobody had said so
      }
    }
    ClientSession session = null;
    try {
      session = open(machine, at);
      return ask(machine, session, line);
    } catch (IOException | UnresolvedAddressException e) {
      if (session != null) {
        session.close(true);
      }
      throw new ProviderException.Unavailable("machine " + machine + " does not answer", e);
    }
  }

  private String ask(String machine, ClientSession session, String line) throws IOException {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (ChannelExec channel = session.createExecChannel(line);
        OutputStream most = new LimitedOutput(said, ANSWER_MOST)) {
      channel.setOut(most);
      channel.open().verify(limit);
      if (!channel
          .waitFor(EnumSet.of(ClientChannelEvent.CLOSED), limit)
          .contains(ClientChannelEvent.CLOSED)) {
        throw new IOException("no answer within " + limit);
      }
    }
    kept.put(machine, session);
    return said.toString(StandardCharsets.UTF_8);
  }

  /** This machine will not be asked again. */
  void leave(String machine) {
    kept.forget(machine);
    keys.forget(machine);
  }

  private ClientSession open(String machine, Endpoint at) throws IOException {
    AttributeRepository context = AttributeRepository.ofKeyValuePair(MACHINE, machine);
    ClientSession session =
        client
            .connect(at.user(), at.host(), at.port(), context, null)
            .verify(limit)
            .getClientSession();
    try {
      session.addPublicKeyIdentity(keys.pair());
      session.auth().verify(limit);
      return session;
    } catch (IOException e) {
      session.close(true);
      throw e;
    }
  }

  private boolean isExpected(ClientSession session, PublicKey shown) {
    AttributeRepository context = session.getConnectionContext();
    String machine = context == null ? null : context.getAttribute(MACHINE);
    return machine != null && keys.isKnownOrNew(machine, shown);
  }

  private static PtyChannelConfiguration terminal(ExecRequest.Terminal terminal) {
    PtyChannelConfiguration configuration = new PtyChannelConfiguration();
    configuration.setPtyType(terminal.type());
    configuration.setPtyColumns(terminal.columns());
    configuration.setPtyLines(terminal.rows());
    return configuration;
  }

  /** One line for the shell there. Variables go in it, since SSH servers refuse most of them. */
  static String line(ExecRequest request) {
    String variables =
        request.environment().entrySet().stream()
            .filter(entry -> VARIABLE.matcher(entry.getKey()).matches())
            .sorted(Map.Entry.comparingByKey())
            .map(entry -> " " + quoted(entry.getKey() + "=" + entry.getValue()))
            .collect(Collectors.joining());
    String command =
        request.command().isEmpty()
            ? "\"${SHELL:-/bin/sh}\" -l"
            : request.command().stream().map(MachineShell::quoted).collect(Collectors.joining(" "));
    return "exec env" + variables + " " + command;
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }

  @Override
  public void close() {
    kept.close();
    client.stop();
  }
}
