package gpuaas.gateway;

import gpuaas.access.SshKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.global.KeepAliveHandler;
import org.apache.sshd.common.io.nio2.Nio2ServiceFactoryFactory;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.util.threads.NoCloseExecutor;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;

/**
 * The SSH server in front of all instances. The user name says which one, a public key opens it,
 * and everything the client asks for happens inside it.
 */
public final class SshGateway implements AutoCloseable {

  /** No SHA-1: an {@code ssh-rsa} key proves itself with rsa-sha2. */
  private static final List<BuiltinSignatures> SIGNATURES =
      List.of(
          BuiltinSignatures.ed25519,
          BuiltinSignatures.nistp256,
          BuiltinSignatures.nistp384,
          BuiltinSignatures.nistp521,
          BuiltinSignatures.sk_ssh_ed25519,
          BuiltinSignatures.sk_ecdsa_sha2_nistp256,
          BuiltinSignatures.rsaSHA512,
          BuiltinSignatures.rsaSHA256);

  private static final List<BuiltinDHFactories> KEY_EXCHANGES =
      List.of(
          BuiltinDHFactories.mlkem768x25519,
          BuiltinDHFactories.sntrup761x25519,
          BuiltinDHFactories.sntrup761x25519_openssh,
          BuiltinDHFactories.curve25519,
          BuiltinDHFactories.curve25519_libssh,
          BuiltinDHFactories.ecdhp256,
          BuiltinDHFactories.ecdhp384,
          BuiltinDHFactories.ecdhp521,
          BuiltinDHFactories.dhg14_256);

  private static final List<BuiltinCiphers> CIPHERS =
      List.of(
          BuiltinCiphers.aes128gcm,
          BuiltinCiphers.aes256gcm,
          BuiltinCiphers.aes128ctr,
          BuiltinCiphers.aes192ctr,
          BuiltinCiphers.aes256ctr);

  private static final List<BuiltinMacs> MACS =
      List.of(
          BuiltinMacs.hmacsha256etm,
          BuiltinMacs.hmacsha512etm,
          BuiltinMacs.hmacsha256,
          BuiltinMacs.hmacsha512);

  private final GatewaySettings settings;
  private final HostKeys hostKeys;
  private final Visits visits;
  private final SshServer server;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("ssh-", 0).factory());

  /** Reads or makes the host keys; {@link #start} begins to listen. */
  public SshGateway(GatewaySettings settings, Doors doors, SessionLog log, Activity activity) {
    this.settings = settings;
    this.hostKeys = HostKeys.at(settings.hostKeyFile());
    KeyCheck keys = new KeyCheck(doors, settings.maxAuthTries());
    this.visits = new Visits(settings, keys, log, activity);
    this.server = SshServer.setUpDefaultServer();
    server.setHost(settings.bindAddress());
    server.setPort(settings.port());
    server.setKeyPairProvider(KeyPairProvider.wrap(hostKeys.pairs()));
    server.addSessionListener(visits);
    // One way in, three things to do, and nothing that the library brings along by itself.
    server.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
    server.setPublickeyAuthenticator(keys);
    server.setKeyboardInteractiveAuthenticator(null);
    server.setChannelFactories(List.of(LeaseChannel.factory(visits), PortChannel.factory(visits)));
    server.setGlobalRequestHandlers(List.of(KeepAliveHandler.INSTANCE));
    server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
    server.setAgentFactory(null);
    server.setShellFactory(null);
    server.setCommandFactory(null);
    server.setSubsystemFactories(List.of());
    algorithms();
    limits();
    // Every callback runs on a virtual thread and may wait: for a look-up, a pause, a process.
    server.setIoServiceFactoryFactory(
        new Nio2ServiceFactoryFactory(() -> new NoCloseExecutor(threads)));
  }

  private void algorithms() {
    server.setSignatureFactories(List.copyOf(SIGNATURES));
    server.setKeyExchangeFactories(
        NamedFactory.setUpTransformedFactories(true, KEY_EXCHANGES, ServerBuilder.DH2KEX));
    server.setCipherFactories(List.copyOf(CIPHERS));
    server.setMacFactories(List.copyOf(MACS));
    server.setCompressionFactories(List.of(BuiltinCompressions.none));
  }

  private void limits() {
    CoreModuleProperties.SERVER_IDENTIFICATION.set(server, "GPUaaS");
    CoreModuleProperties.AUTH_TIMEOUT.set(server, settings.loginGrace());
    // Only a stop for clients that never finish; wrong keys are counted by KeyCheck.
    CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, 4 + 2 * settings.maxAuthTries());
    // Only a stop as well, for it ends the session; our own limit refuses the channel.
    CoreModuleProperties.MAX_CONCURRENT_CHANNELS.set(server, 2 * settings.maxChannelsPerSession());
    // Visits judges by payload; the library would count its own keep-alives.
    CoreModuleProperties.IDLE_TIMEOUT.set(server, Duration.ZERO);
    // Whether a client is still there is decided by keep-alives, not by how long a packet takes.
    CoreModuleProperties.NIO2_MIN_WRITE_TIMEOUT.set(server, Duration.ofHours(1));
    CoreModuleProperties.LIMIT_PACKET_SIZE.set(server, 1L << 24);
    CoreModuleProperties.MAX_IDENTIFICATION_SIZE.set(server, 1024);
    CoreModuleProperties.SOCKET_KEEPALIVE.set(server, true);
    CoreModuleProperties.TCP_NODELAY.set(server, true);
    CoreModuleProperties.SOCKET_BACKLOG.set(server, 256);
  }

  /**
   * Begins to listen.
   *
   * @throws UncheckedIOException when the address is taken
   */
  public void start() {
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot listen on " + settings.bindAddress() + ":" + settings.port(), e);
    }
  }

  /** The port it listens on. */
  public int port() {
    return server.getPort();
  }

  /** The keys by which clients know this gateway: what to put into {@code known_hosts}. */
  public List<SshKey> hostKeys() {
    return hostKeys.publicKeys();
  }

  /** Ends every session of a lease at once: it is over. */
  public void closeSessions(UUID lease) {
    visits.end(lease);
  }

  /** Ends those sessions of a lease whose key no longer opens it. */
  public void recheck(UUID lease) {
    visits.recheck(lease);
  }

  /** Ends every session whose key no longer opens its lease: a key was removed. */
  public void recheckAll() {
    visits.recheckAll();
  }

  /** How many sessions of a lease are open. */
  public int openSessions(UUID lease) {
    return visits.count(lease);
  }

  /** Payload that the open sessions of a lease were sent. */
  public long bytesOut(UUID lease) {
    return visits.bytesOut(lease);
  }

  /** Stops listening and ends every session. */
  @Override
  public void close() {
    try {
      server.stop(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      visits.close();
      threads.shutdownNow();
    }
  }
}
