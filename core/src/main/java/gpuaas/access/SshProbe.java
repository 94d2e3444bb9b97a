package gpuaas.access;

import gpuaas.spi.Endpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.jspecify.annotations.Nullable;

/**
 * Proves that an endpoint lets a key in and runs a command. One for the whole server; may be used
 * from many threads.
 */
public final class SshProbe implements AutoCloseable {

  private static final AttributeKey<SshKey> SEEN = new AttributeKey<>();
  private static final AttributeKey<SshKey> EXPECTED = new AttributeKey<>();
  private static final AttributeKey<Boolean> MISMATCH = new AttributeKey<>();

  private final SshClient client;
  private final String command;

  /** What a probe found. */
  public sealed interface Result {

    /** The command ran. The key is the one that the host proved to have. */
    record Answered(SshKey hostKey) implements Result {}

    /** Try again later, or give up: the sentence says what happened. */
    record NotYet(Reason reason, String sentence) implements Result {}
  }

  /** Why an endpoint did not answer. */
  public enum Reason {
    /** Nothing listens there, or there is no way to it. */
    REFUSED,
    /** The time was over before the end. */
    TIMEOUT,
    /** Something listens, but it does not speak SSH. */
    NO_GREETING,
    /** It does not let the key in. */
    AUTH_REJECTED,
    /** The command could not be run, or failed. */
    COMMAND_FAILED,
    /** It is another host than the expected one. */
    HOST_KEY_MISMATCH
  }

  /** A probe that runs {@code true}. */
  public SshProbe() {
    this("true");
  }

  /** A probe that runs this command; it must end with 0. */
  public SshProbe(String command) {
    this.command = command;
    client = SshClient.setUpDefaultClient();
    // Nothing of the account that the server runs as: no configuration, keys or agent.
    client.setHostConfigEntryResolver(HostConfigEntryResolver.EMPTY);
    client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
    client.setAgentFactory(null);
    client.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
    client.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
    client.setServerKeyVerifier((session, _, key) -> verify(session, key));
    // The quickest first; the others are for hosts that have nothing else.
    client.setKeyExchangeFactories(
        NamedFactory.setUpTransformedFactories(
            true,
            List.of(
                BuiltinDHFactories.curve25519,
                BuiltinDHFactories.curve25519_libssh,
                BuiltinDHFactories.ecdhp256,
                BuiltinDHFactories.ecdhp384,
                BuiltinDHFactories.dhg14_256,
                BuiltinDHFactories.dhg16_512),
            ClientBuilder.DH2KEX));
    client.setSignatureFactories(
        List.of(
            BuiltinSignatures.ed25519,
            BuiltinSignatures.nistp256,
            BuiltinSignatures.nistp384,
            BuiltinSignatures.nistp521,
            BuiltinSignatures.rsaSHA512,
            BuiltinSignatures.rsaSHA256));
    client.setCipherFactories(
        List.of(
            BuiltinCiphers.aes128gcm,
            BuiltinCiphers.aes256gcm,
            BuiltinCiphers.aes128ctr,
            BuiltinCiphers.aes256ctr,
            BuiltinCiphers.cc20p1305_openssh));
    CoreModuleProperties.TCP_NODELAY.set(client, true); // else each answer waits 40 ms
    client.start();
  }

  /**
   * Knocks once.
   *
   * @param hostKey the only host key to accept; empty: any
   * @param timeout for all of it
   */
  public Result probe(Endpoint endpoint, KeyPair keys, Optional<SshKey> hostKey, Duration timeout) {
    Deadline deadline = new Deadline(System.nanoTime() + timeout.toNanos());
    ClientSession session;
    try {
      session =
          client
              .connect(endpoint.user(), endpoint.host(), endpoint.port(), expecting(hostKey), null)
              .verify(deadline.left())
              .getSession();
    } catch (IOException | UnresolvedAddressException e) {
      return notConnected(endpoint, e);
    }
    try {
      session.addPublicKeyIdentity(keys);
      try {
        session.auth().verify(deadline.left());
      } catch (IOException e) {
        return notEntered(session, endpoint, e);
      }
      return run(session, deadline);
    } finally {
      session.close(true);
    }
  }

  /** Known before the connection begins: the host may show its key at once. */
  private static AttributeRepository expecting(Optional<SshKey> hostKey) {
    return hostKey
        .map(key -> AttributeRepository.ofKeyValuePair(EXPECTED, key))
        .orElseGet(() -> AttributeRepository.ofAttributesMap(Map.of()));
  }

  private Result run(ClientSession session, Deadline deadline) {
    try (ChannelExec channel = session.createExecChannel(command)) {
      channel.setOut(OutputStream.nullOutputStream());
      channel.setErr(OutputStream.nullOutputStream());
      channel.open().verify(deadline.left());
      Set<ClientChannelEvent> seen =
          channel.waitFor(
              EnumSet.of(ClientChannelEvent.EXIT_STATUS, ClientChannelEvent.CLOSED),
              deadline.left());
      Integer code = channel.getExitStatus();
      if (code != null && code == 0) {
        SshKey key = session.getAttribute(SEEN);
        return key == null
            ? notYet(Reason.HOST_KEY_MISMATCH, "The host showed no key.")
            : new Result.Answered(key);
      }
      if (code == null && seen.contains(ClientChannelEvent.TIMEOUT)) {
        return notYet(Reason.TIMEOUT, "The command did not end in time.");
      }
      return notYet(
          Reason.COMMAND_FAILED,
          code == null ? "The command ended without a code." : "The command ended with " + code);
    } catch (IOException e) {
      return timedOut(e)
          ? notYet(Reason.TIMEOUT, "The command was not started in time.")
          : notYet(Reason.COMMAND_FAILED, "The host would not run a command.");
    }
  }

  private static Result notConnected(Endpoint endpoint, Exception failure) {
    String where = endpoint.host() + ":" + endpoint.port();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ConnectException) {
        return notYet(Reason.REFUSED, "Nothing listens at " + where);
      }
      if (cause instanceof UnresolvedAddressException
          || cause instanceof UnknownHostException
          || cause instanceof NoRouteToHostException) {
        return notYet(Reason.REFUSED, "There is no way to " + where);
      }
    }
    return timedOut(failure)
        ? notYet(Reason.TIMEOUT, "No connection to " + where + " in time.")
        : notYet(Reason.REFUSED, "The connection to " + where + " failed.");
  }

  private static Result notEntered(ClientSession session, Endpoint endpoint, IOException failure) {
    String where = endpoint.host() + ":" + endpoint.port();
    if (session.getAttribute(MISMATCH) != null) {
      return notYet(Reason.HOST_KEY_MISMATCH, "Another host than expected answers at " + where);
    }
    if (session.getServerVersion() == null) {
      return notYet(Reason.NO_GREETING, "What listens at " + where + " does not speak SSH.");
    }
    if (timedOut(failure)) {
      return notYet(Reason.TIMEOUT, "The log-in at " + where + " did not end in time.");
    }
    return notYet(Reason.AUTH_REJECTED, "The key was not let in at " + where);
  }

  private static boolean timedOut(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof TimeoutException) {
        return true;
      }
    }
    return false;
  }

  private static Result notYet(Reason reason, String sentence) {
    return new Result.NotYet(reason, sentence);
  }

  private static boolean verify(ClientSession session, @Nullable PublicKey key) {
    SshKey seen = key == null ? null : parse(key);
    AttributeRepository context = session.getConnectionContext();
    SshKey expected = context == null ? null : context.getAttribute(EXPECTED);
    if (seen == null || (expected != null && !expected.blob().equals(seen.blob()))) {
      session.setAttribute(MISMATCH, true);
      return false;
    }
    session.setAttribute(SEEN, seen);
    return true;
  }

  private static @Nullable SshKey parse(PublicKey key) {
    try {
      return SshKey.parse(PublicKeyEntry.toString(key));
    } catch (IllegalArgumentException _) {
      return null; // too weak to prove anything
    }
  }

  /** Stops the client; probes that are under way fail. */
  @Override
  public void close() {
    client.stop();
  }

  private record Deadline(long nanoTime) {
    Duration left() {
      return Duration.ofNanos(Math.max(1_000_000, nanoTime - System.nanoTime()));
    }
  }
}
