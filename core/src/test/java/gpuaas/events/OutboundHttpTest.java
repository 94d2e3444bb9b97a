package gpuaas.events;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.events.OutboundHttp.Outcome;
import gpuaas.events.OutboundHttp.Outcome.Answered;
import gpuaas.events.OutboundHttp.Outcome.Failed;
import gpuaas.events.OutboundHttp.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests to strangers' URLs: where they go, where they do not, and when they end. */
class OutboundHttpTest {

  private static final UUID OWNER = new UUID(0, 1);

  private static final Duration LIMIT = Duration.ofMillis(1500);
  private static final String BODY = "{\"id\": \"evt_1\"}";

  private static OutboundHttp open(OutboundHttp.Resolver resolver, boolean allowPrivate)
      throws Exception {
    return new OutboundHttp(resolver, allowPrivate, LIMIT, SSLContext.getDefault());
  }

  private static OutboundHttp open() throws Exception {
    return open(InetAddress::getAllByName, true);
  }

  /** Answers each connection in its own thread. */
  private interface Peer {
    void talk(Socket socket) throws IOException;
  }

  private static ServerSocket peer(ServerSocket listener, Peer peer) {
    Thread.ofVirtual()
        .start(() -> {
          while (!listener.isClosed()) {
            try {
              Socket socket = listener.accept();
              Thread.ofVirtual()
                  .start(() -> {
                    try (socket) {
                      peer.talk(socket);
                    } catch (IOException e) {
                      // the other side hung up
                    }
                  });
            } catch (IOException e) {
              return;
            }
          }
        });
    return listener;
  }

  private static ServerSocket peer(Peer peer) throws IOException {
    return peer(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), peer);
  }

  private static String url(ServerSocket listener) {
    return "http://127.0.0.1:" + listener.getLocalPort() + "/";
  }

  private static void untilClosed(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    while (in.read() >= 0) {
      // whatever comes
    }
  }

  @Test
  void theBodyAndTheHeadersArrive() throws Exception {
    try (Receiver receiver = new Receiver();
        OutboundHttp outbound = open()) {
      Outcome outcome =
          outbound.post(OWNER, receiver.url(), Map.of("Test-Event-Id", "evt_1"), BODY);
      assertThat(outcome).isEqualTo(new Answered(204));
      assertThat(receiver.received()).hasSize(1);
      assertThat(receiver.received().getFirst().body()).isEqualTo(BODY);
      assertThat(receiver.received().getFirst().contentType()).isEqualTo("application/json");
      assertThat(receiver.received().getFirst().eventId()).isEqualTo("evt_1");
    }
  }

  @Test
  void aNameThatLeadsHereOnlyWhenItCountsIsRefused() throws Exception {
    // The first look-up says a public address, all later ones say this machine.
    AtomicInteger lookUps = new AtomicInteger();
    OutboundHttp.Resolver turncoat =
        host ->
            new InetAddress[] {
              lookUps.incrementAndGet() == 1
                  ? InetAddress.getByName("8.8.8.8")
                  : InetAddress.getByName("127.0.0.1")
            };
    try (Receiver receiver = new Receiver();
        OutboundHttp outbound = open(turncoat, false)) {
      assertThat(turncoat.resolve("rebind.example.com")[0].isLoopbackAddress()).isFalse();
      String url = "https://rebind.example.com:" + receiver.port() + "/";
      assertThat(outbound.post(OWNER, url, Map.of(), BODY))
          .isEqualTo(new Failed(Problem.ADDRESS_REFUSED));
      assertThat(lookUps).as("one look-up for each request").hasValue(2);
      assertThat(receiver.received()).isEmpty();
    }
  }

  @Test
  void theAddressThatWasCheckedIsTheOneConnectedTo() throws Exception {
    // Asked a second time within one request, the resolver would lead elsewhere.
    AtomicInteger lookUps = new AtomicInteger();
    OutboundHttp.Resolver once =
        host -> {
          if (lookUps.incrementAndGet() > 1) {
            throw new UnknownHostException(host);
          }
          return new InetAddress[] {InetAddress.getLoopbackAddress()};
        };
    try (Receiver receiver = new Receiver();
        OutboundHttp outbound = open(once, true)) {
      String url = "http://pinned.example.com:" + receiver.port() + "/";
      assertThat(outbound.post(OWNER, url, Map.of(), BODY)).isEqualTo(new Answered(204));
      assertThat(receiver.received().getFirst().host())
          .isEqualTo("pinned.example.com:" + receiver.port());
    }
  }

  @Test
  void onePrivateAddressAmongPublicOnesClosesTheName() throws Exception {
    OutboundHttp.Resolver mixed =
        host ->
            new InetAddress[] {InetAddress.getByName("8.8.8.8"), InetAddress.getByName("10.0.0.1")};
    try (OutboundHttp outbound = open(mixed, false)) {
      assertThat(outbound.post(OWNER, "https://mixed.example.com/", Map.of(), BODY))
          .isEqualTo(new Failed(Problem.ADDRESS_REFUSED));
    }
  }

  @Test
  void literalsAreRefusedWithoutTheSetting() throws Exception {
    try (Receiver receiver = new Receiver();
        OutboundHttp outbound = open(InetAddress::getAllByName, false)) {
      for (String url :
          new String[] {
            receiver.url(),
            "https://127.0.0.1:" + receiver.port() + "/",
            "https://[::1]:" + receiver.port() + "/"
          }) {
        assertThat(outbound.post(OWNER, url, Map.of(), BODY))
            .as(url)
            .isEqualTo(new Failed(Problem.ADDRESS_REFUSED));
      }
      assertThat(receiver.received()).isEmpty();
    }
  }

  @Test
  void aRedirectIsAnAnswerAndNotFollowed() throws Exception {
    try (Receiver inner = new Receiver();
        Receiver receiver = new Receiver();
        OutboundHttp outbound = open()) {
      receiver.redirectingTo(inner.url());
      assertThat(outbound.post(OWNER, receiver.url(), Map.of(), BODY)).isEqualTo(new Answered(307));
      assertThat(inner.received()).isEmpty();
    }
  }

  @Test
  void whoeverNeverAnswersIsLeftAtTheLimit() throws Exception {
    try (ServerSocket silent = peer(OutboundHttpTest::untilClosed);
        OutboundHttp outbound = open()) {
      assertThat(outbound.post(OWNER, url(silent), Map.of(), BODY))
          .isEqualTo(new Failed(Problem.TIMED_OUT));
    }
  }

  @Test
  void whoeverNeverReadsIsLeftAtTheLimit() throws Exception {
    // The body is larger than all buffers on the way, and nobody takes it.
    ServerSocket listener = new ServerSocket();
    listener.setReceiveBufferSize(4096);
    listener.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    try (ServerSocket deaf = peer(listener, _ -> LockSupport.parkNanos(20_000_000_000L));
        OutboundHttp outbound = open()) {
      assertThat(outbound.post(OWNER, url(deaf), Map.of(), "a".repeat(16_000_000)))
          .isEqualTo(new Failed(Problem.TIMED_OUT));
    }
  }

  @Test
  void whoeverTricklesIsCutOffAtTheLimit() throws Exception {
    // Each byte comes long before any pause would be too long; only the whole is.
    Peer trickler =
        socket -> {
          OutputStream out = socket.getOutputStream();
          out.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".getBytes(US_ASCII));
          while (true) {
            out.write('a');
            out.flush();
            LockSupport.parkNanos(50_000_000L);
          }
        };
    try (ServerSocket slow = peer(trickler);
        OutboundHttp outbound = open()) {
      assertThat(outbound.post(OWNER, url(slow), Map.of(), BODY))
          .isEqualTo(new Failed(Problem.TIMED_OUT));
    }
  }

  @Test
  void whoeverSaysTooMuchIsNotReadToTheEnd() throws Exception {
    Peer talker =
        socket -> {
          OutputStream out = socket.getOutputStream();
          out.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".getBytes(US_ASCII));
          byte[] much = new byte[64 * 1024];
          while (true) {
            out.write(much);
          }
        };
    Peer headers =
        socket -> {
          OutputStream out = socket.getOutputStream();
          out.write("HTTP/1.1 200 OK\r\n".getBytes(US_ASCII));
          while (true) {
            out.write("X-More: of it\r\n".getBytes(US_ASCII));
          }
        };
    Peer line =
        socket -> {
          OutputStream out = socket.getOutputStream();
          out.write("HTTP/1.1 200 ".getBytes(US_ASCII));
          while (true) {
            out.write('a');
          }
        };
    try (ServerSocket body = peer(talker);
        ServerSocket many = peer(headers);
        ServerSocket wide = peer(line);
        OutboundHttp outbound = open()) {
      assertThat(outbound.post(OWNER, url(body), Map.of(), BODY)).isEqualTo(new Answered(200));
      assertThat(outbound.post(OWNER, url(many), Map.of(), BODY)).isInstanceOf(Failed.class);
      assertThat(outbound.post(OWNER, url(wide), Map.of(), BODY)).isInstanceOf(Failed.class);
    }
  }

  @Test
  void whatIsNotThereIsSaid() throws Exception {
    int closed;
    try (ServerSocket gone = new ServerSocket(0)) {
      closed = gone.getLocalPort();
    }
    OutboundHttp.Resolver nobody =
        host -> {
          throw new UnknownHostException(host);
        };
    try (OutboundHttp outbound = open();
        OutboundHttp nameless = open(nobody, true);
        ServerSocket rude = peer(Socket::close)) {
      assertThat(outbound.post(OWNER, "http://127.0.0.1:" + closed + "/", Map.of(), BODY))
          .isEqualTo(new Failed(Problem.CONNECTION_FAILED));
      assertThat(nameless.post(OWNER, "http://nobody.example.com:8080/", Map.of(), BODY))
          .isEqualTo(new Failed(Problem.NAME_UNKNOWN));
      assertThat(outbound.post(OWNER, url(rude), Map.of(), BODY)).isInstanceOf(Failed.class);
    }
  }

  @Test
  void overTlsTheNameIsProvedAlthoughTheAddressIsPinned(@TempDir Path folder) throws Exception {
    KeyStore store = selfSigned(folder, "hooks.example.com");
    SSLContext trusting = context(store);
    AtomicReference<String> sni = new AtomicReference<>("");
    Peer greeter =
        socket -> {
          SSLSocket tls = (SSLSocket) socket;
          tls.startHandshake();
          ExtendedSSLSession session = (ExtendedSSLSession) tls.getSession();
          session.getRequestedServerNames().stream()
              .map(SNIServerName::getEncoded)
              .forEach(name -> sni.set(new String(name, US_ASCII)));
          byte[] some = new byte[8192];
          assertThat(tls.getInputStream().read(some)).isPositive();
          tls.getOutputStream()
              .write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".getBytes(US_ASCII));
        };
    OutboundHttp.Resolver here = host -> new InetAddress[] {InetAddress.getLoopbackAddress()};
    SSLServerSocket secure =
        (SSLServerSocket)
            trusting
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    try (ServerSocket listener = peer(secure, greeter);
        OutboundHttp trusted = new OutboundHttp(here, true, LIMIT, trusting);
        OutboundHttp stranger = open(here, true)) {
      String port = ":" + listener.getLocalPort() + "/";
      assertThat(trusted.post(OWNER, "https://hooks.example.com" + port, Map.of(), BODY))
          .isEqualTo(new Answered(204));
      assertThat(sni).hasValue("hooks.example.com");
      assertThat(trusted.post(OWNER, "https://other.example.com" + port, Map.of(), BODY))
          .as("the certificate is another name's")
          .isEqualTo(new Failed(Problem.TLS_FAILED));
      assertThat(stranger.post(OWNER, "https://hooks.example.com" + port, Map.of(), BODY))
          .as("nobody whom we trust signed it")
          .isEqualTo(new Failed(Problem.TLS_FAILED));
    }
  }

  private static KeyStore selfSigned(Path folder, String name) throws Exception {
    Path file = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "hooks",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=dns:" + name,
                "-storepass",
                "changeit",
                "-keystore",
                file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
    assertThat(keytool.waitFor()).as(said).isZero();
    return KeyStore.getInstance(file.toFile(), "changeit".toCharArray());
  }

  private static SSLContext context(KeyStore store) throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, "changeit".toCharArray());
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }
}
