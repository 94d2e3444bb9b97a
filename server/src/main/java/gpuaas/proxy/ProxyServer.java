package gpuaas.proxy;

import gpuaas.http.FailedTries;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listener: a thread for each connection, so that whoever is slow holds nobody but themselves,
 * and a round each second that ends those that wait for too long.
 */
public final class ProxyServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ProxyServer.class);
  private static final int HEAD_BYTES_MOST = 32 * 1024;
  private static final int BACKLOG = 512;
  private static final int LEFT_OVER_MOST = 1 << 20;
  private static final Duration LEFT_OVER_LIMIT = Duration.ofSeconds(2);
  private static final long ROUND_MILLIS = 500;

  private final ProxySettings settings;
  private final ServerSocket listener;
  private final Optional<SSLSocketFactory> tls;
  private final Exchange.Parts parts;
  private final Map<Wire, Progress> open = new ConcurrentHashMap<>();
  private final ScheduledExecutorService rounds =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("proxy-rounds").factory());

  /**
   * Starts to listen.
   *
   * @param used told of a lease whenever bytes pass to or from it
   * @throws UncheckedIOException when the port is taken, or the key cannot be read
   */
  public ProxyServer(
      ProxySettings settings, WebDoors doors, FailedTries failedTries, Consumer<UUID> used) {
    this.settings = settings;
    try {
      this.tls = settings.keyStore().isPresent() ? Optional.of(tls(settings)) : Optional.empty();
      this.listener =
          new ServerSocket(settings.port(), BACKLOG, InetAddress.getByName(settings.address()));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the proxy cannot listen at " + settings.address() + ":" + settings.port(), e);
    }
    this.parts =
        new Exchange.Parts(
            settings,
            new ProxyAddresses(publicUrl(), settings.domain()),
            doors,
            failedTries,
            new Crowd(settings.connectionsMostPerLease()),
            used);
    var _ =
        rounds.scheduleWithFixedDelay(
            this::endTheLate, ROUND_MILLIS, ROUND_MILLIS, TimeUnit.MILLISECONDS);
    Thread.ofPlatform().daemon().name("proxy-accept").start(this::accept);
  }

  private static SSLSocketFactory tls(ProxySettings settings) throws IOException {
    ProxySettings.KeyStoreFile file = settings.keyStore().orElseThrow();
    char[] password = Files.readString(file.passwordFile()).strip().toCharArray();
    try (InputStream in = Files.newInputStream(file.file())) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, password);
      KeyManagerFactory managers =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(keys, password);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(managers.getKeyManagers(), null, null);
      return context.getSocketFactory();
    } catch (GeneralSecurityException e) {
      throw new IOException(file.file() + " holds no key that this password opens", e);
    }
  }

  private String publicUrl() {
    return settings
        .publicUrl()
        .orElseGet(() ->
            (tls.isPresent() ? "https://" : "http://")
                + (settings.publicHost().contains(":")
                    ? "[" + settings.publicHost() + "]"
                    : settings.publicHost())
                + ":"
                + port());
  }

  /** The port it listens on. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Where leases are found by browsers. */
  public ProxyAddresses addresses() {
    return parts.addresses();
  }

  /** Ends whatever is open into a lease. */
  public void end(UUID lease) {
    parts.crowd().end(lease);
  }

  /** Ends whatever is open to one port of a lease. */
  public void end(UUID lease, int port) {
    parts.crowd().end(lease, port);
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        Thread.ofVirtual().name("proxy").start(() -> serve(socket));
      } catch (SocketException e) {
        if (!listener.isClosed()) {
          log.warn("the proxy could not take a connection: {}", e.getMessage());
        }
      } catch (IOException | RuntimeException e) {
        log.warn("the proxy could not take a connection", e);
      }
    }
  }

  private void serve(Socket socket) {
    Progress progress = new Progress();
    progress.within(settings.headLimit());
    try (socket;
        Wire wire = new Wire(secured(socket), socket, progress)) {
      socket.setTcpNoDelay(true);
      if (open.size() >= settings.connectionsMost()) {
        return;
      }
      open.put(wire, progress);
      try {
        String client =
            ((InetSocketAddress) socket.getRemoteSocketAddress()).getAddress().getHostAddress();
        boolean more = true;
        while (more && next(wire, progress)) {
          more = exchange(wire, progress, client);
        }
        if (!more) {
          takeTheRest(wire, progress);
        }
      } finally {
        open.remove(wire);
      }
    } catch (IOException gone) {
      log.debug("a connection ended: {}", gone.getMessage());
    } catch (RuntimeException e) {
      log.error("the proxy failed", e);
    }
  }

  private Socket secured(Socket socket) throws IOException {
    if (tls.isEmpty()) {
      return socket;
    }
    SSLSocket secured =
        (SSLSocket)
            tls.get()
                .createSocket(
                    socket, socket.getInetAddress().getHostAddress(), socket.getPort(), true);
    secured.setUseClientMode(false);
    return secured;
  }

  /** Waits for a request; false: none comes. */
  private boolean next(Wire wire, Progress progress) throws IOException {
    progress.within(settings.keepAlive());
    boolean comes = wire.awaitByte();
    progress.within(settings.headLimit());
    return comes;
  }

  private boolean exchange(Wire wire, Progress progress, String client) throws IOException {
    RequestHead request;
    try {
      request = RequestHead.parse(wire.head(HEAD_BYTES_MOST, true));
    } catch (Malformed wrong) {
      Pages.write(wire, Refusals.malformed(wrong), false, false, false);
      return false;
    } catch (EOFException gone) {
      return false;
    }
    try {
      return new Exchange(parts, client, request).run(wire, progress);
    } catch (RuntimeException e) {
      log.error("a request to the proxy failed", e);
      wire.abort();
      throw new IOException("failed", e);
    }
  }

  /** Bytes that nobody reads would make the client's system throw our answer away. */
  private static void takeTheRest(Wire wire, Progress progress) throws IOException {
    progress.within(LEFT_OVER_LIMIT);
    wire.endOutput();
    byte[] rest = new byte[16 * 1024];
    int left = LEFT_OVER_MOST;
    for (int count; left > 0 && (count = wire.read(rest, 0, rest.length)) >= 0; ) {
      left -= count;
    }
  }

  private void endTheLate() {
    open.forEach((wire, progress) -> {
      if (progress.isOver()) {
        wire.abort();
      }
    });
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      log.debug("the listener did not close", e);
    }
    rounds.shutdownNow();
    open.keySet().forEach(Wire::close);
  }
}
