package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.pty.PipeProcess;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TerminalBridgeTest {

  private static final UUID LEASE = Lab.LEASE;
  private static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C.UTF-8", "PS1", "$ ");

  private final Activity activity = new Activity(InstantSource.system());

  /** Notes what it is sent; takes only as many frames as it has permits. */
  private static final class Browser implements TerminalPeer {
    final List<String> frames = new CopyOnWriteArrayList<>();
    final List<String> closes = new CopyOnWriteArrayList<>();
    final Semaphore permits = new Semaphore(Integer.MAX_VALUE / 2);

    @Override
    public void sendText(String text) {
      permits.acquireUninterruptibly();
      frames.add(text);
    }

    @Override
    public void close(int code, String reason) {
      closes.add(code + " " + reason);
    }

    String seen() {
      return String.join("", frames);
    }

    void awaits(String text) {
      Eventually.within(Duration.ofSeconds(10), "seeing " + text, () -> seen().contains(text));
    }
  }

  private static TerminalProcess terminal(String... command) {
    return TerminalProcess.start(
        List.of(command), ENVIRONMENT, new ExecRequest.Terminal("xterm", 80, 24));
  }

  private TerminalBridge bridge(ExecChannel process, Browser browser, boolean control) {
    return new TerminalBridge(process, browser, control, LEASE, activity);
  }

  private static Thread run(TerminalBridge bridge, Duration idle) {
    return Thread.ofVirtual().start(() -> bridge.run(idle));
  }

  /** A process that has written this, in such parts, and ended. */
  private static ExecChannel wrote(byte[] bytes, int part) {
    return new Writer(
        new ByteArrayInputStream(bytes) {
          @Override
          public synchronized int read(byte[] into, int offset, int length) {
            return super.read(into, offset, Math.min(part, length));
          }
        });
  }

  private record Writer(InputStream output) implements ExecChannel {
    @Override
    public OutputStream input() {
      return OutputStream.nullOutputStream();
    }

    @Override
    public InputStream error() {
      return InputStream.nullInputStream();
    }

    @Override
    public void resize(int columns, int rows) {}

    @Override
    public void signal(String name) {}

    @Override
    public int waitFor() {
      return 0;
    }

    @Override
    public void close() {}
  }

  @Test
  void aWholeSession() throws Exception {
    // Shows typing by text and by binary frames, a resize by a control frame, and the last words.
    Browser browser = new Browser();
    TerminalBridge bridge = bridge(terminal("bash", "--norc"), browser, true);
    Thread running = run(bridge, Duration.ZERO);
    bridge.receive("echo żó''łć\n");
    browser.awaits("\rżółć");
    bridge.receive("{\"type\":\"resize\",\"cols\":100,\"rows\":50}");
    bridge.receive("stty size\n".getBytes(UTF_8));
    browser.awaits("50 100");
    bridge.receive("exit 3\n");
    running.join();
    assertThat(browser.frames.getFirst()).isEqualTo("{\"type\":\"session_ready\"}");
    assertThat(browser.frames.getLast())
        .isEqualTo(
            "{\"type\":\"session_closed\",\"reason\":\"the process has ended\",\"exit_code\":3}");
    assertThat(browser.closes).containsExactly("1000 the process has ended");
    assertThat(activity.last(LEASE)).isPresent();
  }

  @Test
  void plainClients() throws Exception {
    // Shows that a client without the control protocol gets and sends nothing but the terminal.
    Browser browser = new Browser();
    TerminalBridge bridge = bridge(terminal("cat"), browser, false);
    Thread running = run(bridge, Duration.ZERO);
    bridge.receive("{\"type\":\"resize\",\"cols\":100,\"rows\":50}\n");
    browser.awaits("50}\r\n{\"type\""); // typed, and said by cat
    bridge.receive("\u0004");
    running.join();
    assertThat(browser.seen()).doesNotContain("session_");
    assertThat(browser.closes).containsExactly("1000 the process has ended");
  }

  @Test
  void onlyRealOrdersAreOrders() throws Exception {
    // Shows that what only looks like a control frame is typed.
    for (String typed :
        List.of(
            "{\"type\":\"resize\",\"cols\":0,\"rows\":50}",
            "{\"type\":\"resize\",\"cols\":99999,\"rows\":50}",
            "{\"type\":\"resize\"}",
            "{\"type\":\"other\"}",
            "{not json",
            "{}")) {
      Browser browser = new Browser();
      TerminalBridge bridge = bridge(terminal("cat"), browser, true);
      Thread running = run(bridge, Duration.ZERO);
      bridge.receive(typed + "\n");
      browser.awaits(typed);
      bridge.peerClosed();
      running.join();
    }
  }

  @Test
  void framesHoldWholeCharacters() {
    // Shows that characters that come in parts are sent whole, whatever the parts, and that bytes
    // that are no characters are replaced.
    String text = "a€żółć東京🚀".repeat(3000);
    for (int part : new int[] {1, 2, 3, 5, 7, 8192}) {
      Browser browser = new Browser();
      bridge(wrote(text.getBytes(UTF_8), part), browser, false).run(Duration.ZERO);
      assertThat(browser.seen()).isEqualTo(text);
      assertThat(browser.frames)
          .allSatisfy(frame -> {
            assertThat(Character.isLowSurrogate(frame.charAt(0))).isFalse();
            assertThat(Character.isHighSurrogate(frame.charAt(frame.length() - 1))).isFalse();
          });
    }
    Browser browser = new Browser();
    bridge(wrote(new byte[] {'a', (byte) 0xff, 'b', (byte) 0xe2, (byte) 0x82}, 1), browser, false)
        .run(Duration.ZERO);
    assertThat(browser.seen()).isEqualTo("a\ufffdb\ufffd");
  }

  @Test
  void aSlowBrowserSlowsTheProcess() throws Exception {
    // Shows that a browser that takes nothing stops the process from writing on.
    Browser browser = new Browser();
    browser.permits.drainPermits();
    ExecChannel process =
        PipeProcess.start(List.of("head", "-c", "20000000", "/dev/zero"), ENVIRONMENT);
    Thread running = run(bridge(process, browser, false), Duration.ZERO);
    Eventually.within(Duration.ofSeconds(10), "it waits", () -> browser.permits.hasQueuedThreads());
    CountDownLatch ended = new CountDownLatch(1);
    Thread.ofVirtual()
        .start(() -> {
          try {
            process.waitFor();
            ended.countDown();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
        });
    assertThat(ended.await(300, java.util.concurrent.TimeUnit.MILLISECONDS)).isFalse();
    browser.permits.release(1_000_000);
    running.join();
    assertThat(browser.frames.stream().mapToLong(String::length).sum()).isEqualTo(20_000_000);
  }

  @Test
  void inputWaitsForTheProcess() throws Exception {
    // Shows that who types faster than the process reads is held up, until the peer has gone.
    TerminalBridge bridge =
        bridge(terminal("bash", "-c", "stty raw -echo; sleep 60"), new Browser(), false);
    Thread running = run(bridge, Duration.ZERO);
    Thread typist =
        Thread.ofVirtual()
            .start(() -> {
              for (int i = 0; i < 1000; i++) {
                bridge.receive("x".repeat(10_000));
              }
            });
    assertThat(typist.join(Duration.ofMillis(300))).isFalse();
    bridge.peerClosed();
    assertThat(typist.join(Duration.ofSeconds(10))).isTrue();
    assertThat(running.join(Duration.ofSeconds(10))).isTrue();
  }

  @Test
  void idleTerminals() throws Exception {
    // Shows that a terminal where nothing happens is closed with its own code.
    Browser browser = new Browser();
    run(bridge(terminal("sleep", "60"), browser, true), Duration.ofMillis(200)).join();
    assertThat(browser.closes).containsExactly("4408 nothing happened for too long");
    assertThat(browser.frames.getLast()).contains("session_closed").doesNotContain("exit_code");
  }

  @Test
  void aStuckBrowserIsClosed() throws Exception {
    // Shows that an idle terminal is closed even if its browser takes nothing, last words included.
    Browser browser = new Browser();
    browser.permits.drainPermits();
    Thread running = run(bridge(terminal("sleep", "60"), browser, true), Duration.ofMillis(200));
    Eventually.within(Duration.ofSeconds(10), "it is closed", () -> browser.closes.size() == 1);
    browser.permits.release(10);
    running.join();
    assertThat(browser.closes.getFirst()).startsWith("4408");
  }

  @Test
  void goneBrowsers() throws Exception {
    // Shows that a browser that is found to be gone while it is sent something ends the process.
    TerminalProcess process = terminal("bash", "-c", "echo hello; sleep 60");
    List<Integer> closes = new CopyOnWriteArrayList<>();
    TerminalPeer gone =
        new TerminalPeer() {
          @Override
          public void sendText(String text) throws IOException {
            throw new IOException("closed");
          }

          @Override
          public void close(int code, String reason) {
            closes.add(code);
          }
        };
    new TerminalBridge(process, gone, false, LEASE, activity).run(Duration.ZERO);
    assertThat(process.waitFor()).isGreaterThan(128);
    assertThat(closes).containsExactly(1011);
  }

  @Test
  void brokenConnections() throws Exception {
    // Shows that a provider whose connection breaks is told to the client as worth another try.
    Browser browser = new Browser();
    InputStream output =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("reset");
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            return read();
          }
        };
    ExecChannel process = new Writer(output);
    bridge(process, browser, true).run(Duration.ZERO);
    assertThat(browser.seen()).contains("\"session_error\"").contains("\"retryable\":true");
    assertThat(browser.closes).containsExactly("1011 the connection broke");
  }
}
