package gpuaas.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import gpuaas.http.FailedTries;
import gpuaas.proxy.WebDoors.Inside;
import gpuaas.proxy.WebDoors.WebDoor;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import gpuaas.web.Web;
import gpuaas.web.Web.Jupyter;
import gpuaas.web.Web.Port;
import gpuaas.web.Web.State;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A proxy before leases whose ports are those of this machine's loopback, and what listens there.
 */
final class ProxyLab implements AutoCloseable {

  static final String LEASE = "lease-0123456789ab";
  static final String OTHER = "lease-ba9876543210";
  static final String TOKEN = "the-token-of-the-first-lease-0123456789abcde";
  static final String OTHER_TOKEN = "the-token-of-the-other-lease-0123456789abcde";
  static final UUID ID = UUID.fromString("00000000-0000-7000-8000-0123456789ab");
  static final UUID OTHER_ID = UUID.fromString("00000000-0000-7000-8000-ba9876543210");

  final ProxyServer proxy;
  final Set<Port> ports = ConcurrentHashMap.newKeySet();
  final Set<UUID> used = ConcurrentHashMap.newKeySet();
  volatile boolean running = true;
  volatile Jupyter jupyter = new Jupyter(false, State.OFF, "", 0, Instant.EPOCH);

  ProxyLab(ProxySettings settings, int failedTriesMost) {
    HasPorts here =
        (_, port) ->
            SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    InstanceRef instance = new InstanceRef("lab", "one");
    Map<String, WebDoors> byName =
        Map.of(
            LEASE,
            _ -> Optional.of(door(ID, LEASE, TOKEN, instance, here)),
            OTHER,
            _ -> Optional.of(door(OTHER_ID, OTHER, OTHER_TOKEN, instance, here)),
            ID.toString(),
            _ -> Optional.of(door(ID, LEASE, TOKEN, instance, here)));
    this.proxy =
        new ProxyServer(
            settings,
            name -> Optional.ofNullable(byName.get(name)).flatMap(one -> one.find(name)),
            new FailedTries(failedTriesMost),
            used::add);
  }

  static ProxyLab open() {
    return new ProxyLab(settings(Duration.ofSeconds(10), Duration.ofSeconds(30), 256), 1000);
  }

  static ProxySettings settings(Duration headLimit, Duration answerLimit, int mostPerLease) {
    ProxySettings standard = ProxySettings.standard();
    return new ProxySettings(
        standard.address(),
        0,
        Optional.empty(),
        standard.publicHost(),
        Optional.empty(),
        Optional.empty(),
        headLimit,
        standard.keepAlive(),
        answerLimit,
        Duration.ofSeconds(30),
        1000,
        mostPerLease);
  }

  private WebDoor door(UUID id, String name, String token, InstanceRef instance, HasPorts here) {
    Web web = new Web(id, name, token, List.copyOf(ports), jupyter);
    return new WebDoor(
        web,
        running ? Optional.of(new Inside(instance, here)) : Optional.empty(),
        "is being prepared");
  }

  /** Declares a port for all leases of the lab. */
  Service declare(Service service, boolean strip) {
    ports.add(new Port(service.port(), strip));
    return service;
  }

  String path(Service service) {
    return "/" + LEASE + "/" + service.port() + "/";
  }

  String url(Service service) {
    return "http://127.0.0.1:" + proxy.port() + path(service);
  }

  /** A connection of a client that speaks for itself. */
  Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    socket.setSoTimeout(20_000);
    return socket;
  }

  /** Sends bytes, and reads until the proxy hangs up. */
  String raw(String request) throws IOException {
    try (Socket socket = connect()) {
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
  }

  /** A GET with the token, without anything more coming. */
  String get(Service service, String rest, String... fields) throws IOException {
    return raw(
        "GET "
            + path(service)
            + rest
            + " HTTP/1.1\r\nHost: proxy.test\r\nConnection: close\r\n"
            + String.join("", fields)
            + "\r\n");
  }

  static String bearer() {
    return "Authorization: Bearer " + TOKEN + "\r\n";
  }

  @Override
  public void close() {
    proxy.close();
  }

  /** Answers one connection. */
  @FunctionalInterface
  interface Handler {
    void handle(String head, InputStream in, OutputStream out) throws IOException;
  }

  /**
   * What listens inside: one request a connection, by hand, so that it can be as odd as need be.
   */
  static final class Service implements AutoCloseable {
    final List<String> heads = new CopyOnWriteArrayList<>();
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final ServerSocket listener;

    Service(Handler handler) throws IOException {
      this.listener = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
      Thread.ofVirtual().start(() -> accept(handler));
    }

    /** Answers with a text, whatever was asked. */
    static Service saying(String text, String... fields) throws IOException {
      return new Service((_, _, out) ->
          out.write(
              ("HTTP/1.1 200 OK\r\nContent-Length: "
                      + text.length()
                      + "\r\n"
                      + String.join("", fields)
                      + "\r\n"
                      + text)
                  .getBytes(ISO_8859_1)));
    }

    int port() {
      return listener.getLocalPort();
    }

    private void accept(Handler handler) {
      while (!listener.isClosed()) {
        try {
          Socket socket = listener.accept();
          open.add(socket);
          Thread.ofVirtual().start(() -> serve(socket, handler));
        } catch (IOException closed) {
          return;
        }
      }
    }

    private void serve(Socket socket, Handler handler) {
      try (socket) {
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          int next = in.read();
          if (next < 0) {
            return;
          }
          head.append((char) next);
        }
        heads.add(head.toString());
        handler.handle(head.toString(), in, socket.getOutputStream());
      } catch (IOException gone) {
        // The other side had enough.
      }
    }

    /** Ends every connection, as the end of an instance does. */
    void die() {
      new ArrayList<>(open)
          .forEach(socket -> {
            try {
              socket.close();
            } catch (IOException _) {
              // Closed already.
            }
          });
    }

    @Override
    public void close() throws IOException {
      listener.close();
      die();
    }
  }
}
