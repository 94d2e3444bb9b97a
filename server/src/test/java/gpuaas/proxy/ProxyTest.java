package gpuaas.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.proxy.ProxyLab.Service;
import io.javalin.Javalin;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What passes through the proxy, both ways, with real sockets. */
class ProxyTest {

  private static final long BIG = 300L << 20;
  private static final Duration SOON = Duration.ofSeconds(20);

  private final ProxyLab lab = ProxyLab.open();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @AfterEach
  void close() {
    http.close();
    lab.close();
  }

  private HttpRequest.Builder request(Service service, String rest) {
    return HttpRequest.newBuilder(URI.create(lab.url(service) + rest))
        .timeout(Duration.ofSeconds(120))
        .header("Authorization", "Bearer " + ProxyLab.TOKEN);
  }

  @Test
  void whatIsSentPieceByPieceArrivesPieceByPiece() throws Exception {
    // The second event is sent only after the client has seen the first.
    CountDownLatch seen = new CountDownLatch(1);
    try (Service service =
        lab.declare(
            new Service((_, _, out) -> {
              write(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
              await(seen);
              write(out, "data: 2\n\n");
            }),
            true)) {
      HttpResponse<InputStream> response =
          http.send(request(service, "").build(), BodyHandlers.ofInputStream());
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(response.body(), ISO_8859_1))) {
        assertThat(lines.readLine()).isEqualTo("data: 1");
        seen.countDown();
        assertThat(lines.lines().toList()).containsExactly("", "data: 2", "");
      }
      assertThat(response.headers().firstValue("transfer-encoding")).contains("chunked");
      assertThat(lab.used).containsExactly(ProxyLab.ID);
    }
  }

  @Test
  void bodiesOfAnySizePassBothWays() throws Exception {
    // More than the heap of the proxy could keep many of; counted, not kept, at both ends.
    AtomicLong uploaded = new AtomicLong();
    try (Service service =
        lab.declare(
            new Service((head, in, out) -> {
              if (head.startsWith("POST")) {
                assertThat(head).contains("Content-Length: " + BIG);
                uploaded.set(count(in, BIG));
                write(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                return;
              }
              write(out, "HTTP/1.1 200 OK\r\nContent-Length: " + BIG + "\r\n\r\n");
              zeros(out, BIG);
            }),
            true)) {
      HttpResponse<InputStream> down =
          http.send(request(service, "").build(), BodyHandlers.ofInputStream());
      assertThat(count(down.body(), Long.MAX_VALUE)).isEqualTo(BIG);

      HttpRequest up =
          request(service, "")
              .POST(
                  BodyPublishers.fromPublisher(
                      BodyPublishers.ofInputStream(() -> new Zeros(BIG)), BIG))
              .build();
      assertThat(http.send(up, BodyHandlers.ofString()).body()).isEqualTo("ok");
      assertThat(uploaded.get()).isEqualTo(BIG);
    }
  }

  @Test
  void chunksAreCountedOutAnew() throws Exception {
    // Lengths in any case, with extensions and trailers, which are not passed on.
    try (Service service =
        lab.declare(
            new Service((_, in, out) -> {
              StringBuilder all = new StringBuilder();
              while (all.indexOf("0\r\n\r\n") < 0) {
                all.append((char) in.read());
              }
              String got = all.toString().replace("\r\n", "|");
              write(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
              write(
                  out,
                  Integer.toHexString(got.length()) + ";x=y\r\n" + got + "\r\n0\r\nT: 1\r\n\r\n");
            }),
            true)) {
      String answer =
          lab.raw(
              "POST "
                  + lab.path(service)
                  + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                  + ProxyLab.bearer()
                  + "Transfer-Encoding: chunked\r\n\r\n"
                  + "A;a=b\r\n"
                  + "0123456789\r\n"
                  + "1\r\n"
                  + "x\r\n"
                  + "0\r\n"
                  + "Evil: 1\r\n\r\n");
      assertThat(answer).contains("a|0123456789|1|x|0||").doesNotContain("x=y", "T: 1", "Evil");
    }
  }

  @Test
  void aWebSocketPassesBothWays() throws Exception {
    Javalin echo =
        Javalin.create(config -> {
          config.startup.showJavalinBanner = false;
          config.routes.ws(
              "/echo", ws -> ws.onMessage(context -> context.send("echo " + context.message())));
        });
    echo.start("127.0.0.1", 0);
    lab.ports.add(new gpuaas.web.Web.Port(echo.port(), true));
    String address =
        "ws://127.0.0.1:" + lab.proxy.port() + "/" + ProxyLab.LEASE + "/" + echo.port() + "/echo";
    try {
      LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
      WebSocket socket =
          http.newWebSocketBuilder()
              .header("Authorization", "token " + ProxyLab.TOKEN)
              .header("Origin", "http://127.0.0.1:" + lab.proxy.port())
              .buildAsync(URI.create(address), new Heard(heard, new StringBuilder()))
              .get(20, TimeUnit.SECONDS);
      for (String text : List.of("one", "two", "x".repeat(50_000))) {
        socket.sendText(text, true).get(20, TimeUnit.SECONDS);
        assertThat(heard.poll(20, TimeUnit.SECONDS)).isEqualTo("echo " + text);
      }
      lab.proxy.end(ProxyLab.ID, echo.port());
      assertThat(heard.poll(20, TimeUnit.SECONDS)).startsWith("over");
      // A page from elsewhere cannot open one, even with the cookie or the token.
      String answer =
          lab.raw(
              "GET /"
                  + ProxyLab.LEASE
                  + "/"
                  + echo.port()
                  + "/echo HTTP/1.1\r\nHost: proxy.test\r\nConnection: Upgrade, close\r\nUpgrade:"
                  + " websocket\r\nOrigin: http://evil.test\r\n"
                  + ProxyLab.bearer()
                  + "\r\n");
      assertThat(answer).startsWith("HTTP/1.1 403").contains("another origin");
    } finally {
      echo.stop();
    }
  }

  @Test
  void manyAtOnce() throws Exception {
    // A hundred that all wait for each other: none is served only after another is done.
    CountDownLatch all = new CountDownLatch(100);
    try (Service service =
        lab.declare(
            new Service((_, _, out) -> {
              all.countDown();
              await(all);
              write(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }),
            true)) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        answers.add(http.sendAsync(request(service, "" + i).build(), BodyHandlers.ofString()));
      }
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        assertThat(answer.get(60, TimeUnit.SECONDS).body()).isEqualTo("ok");
      }
    }
  }

  @Test
  void aDownloadThatIsCutOffIsSeenToBe() throws Exception {
    // By the end of what listens there, and by the end of the lease: never a short body that looks
    // whole.
    try (Service service =
        lab.declare(
            new Service((_, in, out) -> {
              write(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
              zeros(out, 1000);
              in.read();
            }),
            true)) {
      for (Runnable end : List.<Runnable>of(service::die, () -> lab.proxy.end(ProxyLab.ID))) {
        HttpResponse<InputStream> response =
            http.send(request(service, "").build(), BodyHandlers.ofInputStream());
        assertThat(response.body().readNBytes(1000)).hasSize(1000);
        end.run();
        assertThatThrownBy(() -> response.body().readAllBytes()).isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void anAnswerBeforeTheEndOfAnUploadIsHeard() throws Exception {
    try (Service service =
        lab.declare(
            new Service((_, _, out) ->
                write(out, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")),
            true)) {
      try (Socket socket = lab.connect()) {
        write(
            socket.getOutputStream(),
            "POST "
                + lab.path(service)
                + " HTTP/1.1\r\nHost: h\r\n"
                + ProxyLab.bearer()
                + "Content-Length: 1000000000\r\n\r\nonly this so far");
        String answer = new String(socket.getInputStream().readNBytes(400), ISO_8859_1);
        assertThat(answer).startsWith("HTTP/1.1 413").endsWith("no!");
      }
    }
  }

  @Test
  void aConnectionIsUsedAgainAndWhoWaitsForAWordGetsIt() throws Exception {
    try (Service service = lab.declare(Service.saying("hello"), true);
        Socket socket = lab.connect()) {
      String get = "GET " + lab.path(service) + " HTTP/1.1\r\nHost: h\r\n" + ProxyLab.bearer();
      write(socket.getOutputStream(), get + "\r\n" + get + "Connection: close\r\n\r\n");
      String both = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
      assertThat(both.split("hello", -1)).hasSize(3);
      assertThat(both).contains("Connection: keep-alive", "Connection: close");
      String head = lab.raw(get.replace("GET", "HEAD") + "Connection: close\r\n\r\n");
      assertThat(head).contains("Content-Length: 5").endsWith("\r\n\r\n");
      String word =
          lab.raw(
              get.replace("GET", "POST")
                  + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
      assertThat(word).startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200");
    }
  }

  // --- tools ---

  private record Heard(LinkedBlockingQueue<String> heard, StringBuilder parts)
      implements WebSocket.Listener {
    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      parts.append(data);
      if (last) {
        heard.add(parts.toString());
        parts.setLength(0);
      }
      socket.request(1);
      return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      heard.add("over " + code);
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      heard.add("over " + error);
    }
  }

  /** So many bytes of nothing. */
  private static final class Zeros extends InputStream {
    private long left;

    Zeros(long left) {
      this.left = left;
    }

    @Override
    public int read() {
      return left-- > 0 ? 0 : -1;
    }

    @Override
    public int read(byte[] into, int offset, int most) {
      if (left <= 0) {
        return -1;
      }
      int count = (int) Math.min(most, left);
      Arrays.fill(into, offset, offset + count, (byte) 0);
      left -= count;
      return count;
    }
  }

  static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(ISO_8859_1));
    out.flush();
  }

  private static void zeros(OutputStream out, long bytes) throws IOException {
    new Zeros(bytes).transferTo(out);
  }

  private static long count(InputStream in, long most) throws IOException {
    byte[] piece = new byte[1 << 16];
    long all = 0;
    for (int count; all < most && (count = in.read(piece)) >= 0; ) {
      all += count;
    }
    return all;
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      if (!latch.await(SOON.toSeconds(), TimeUnit.SECONDS)) {
        throw new IOException("nobody came");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
