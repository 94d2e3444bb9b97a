package gpuaas.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.spi.ExecChannel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A terminal in a browser: what a process writes goes out as text frames, what comes in is typed
 * into it. Clients that offered {@link #CONTROL_PROTOCOL} also get and may send control frames:
 * JSON objects with a {@code type}.
 *
 * <ul>
 *   <li>to the client: {@code session_ready} first; {@code session_error} with {@code message} and
 *       {@code retryable}; {@code session_closed} with {@code reason} and {@code exit_code} last
 *   <li>from the client: {@code resize} with {@code cols} and {@code rows}
 * </ul>
 */
public final class TerminalBridge {

  /** The subprotocol of clients that understand control frames. */
  public static final String CONTROL_PROTOCOL = "gpuaas.control.v1";

  /** The process has ended. */
  public static final int NORMAL = 1000;

  /** The connection to the process broke. */
  public static final int BROKEN = 1011;

  /** Nothing happened for too long. */
  public static final int IDLE = 4408;

  private static final Logger LOG = LoggerFactory.getLogger(TerminalBridge.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PART = 16 * 1024;
  private static final int LONGEST_CONTROL = 256;
  private static final int LARGEST_SIDE = 1000;
  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private final ExecChannel process;
  private final TerminalPeer peer;
  private final boolean control;
  private final UUID lease;
  private final Activity activity;
  private final AtomicBoolean ended = new AtomicBoolean();
  private final Object typing = new Object();
  private volatile long lastByteNanos = System.nanoTime();

  /**
   * Connects a process that has a terminal; {@link #run} does the rest.
   *
   * @param control whether the client offered {@link #CONTROL_PROTOCOL}
   */
  public TerminalBridge(
      ExecChannel process, TerminalPeer peer, boolean control, UUID lease, Activity activity) {
    this.process = process;
    this.peer = peer;
    this.control = control;
    this.lease = lease;
    this.activity = activity;
  }

  /**
   * Copies until the process ends, the peer has gone, or nothing happened for the limit; then both
   * are closed. Blocks: give it a virtual thread.
   *
   * @param idleLimit zero: none
   */
  public void run(Duration idleLimit) {
    Thread watch = Thread.ofVirtual().name("terminal-idle").start(() -> watch(idleLimit));
    try {
      touch();
      sendControl(message("session_ready"));
      copyOutput();
      int code = process.waitFor();
      end(NORMAL, "the process has ended", code);
    } catch (IOException | RuntimeException e) {
      broken(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      end(BROKEN, "the server is stopping", null);
    } finally {
      watch.interrupt();
      process.close();
      await(watch);
    }
  }

  /** It may be saying farewell. */
  private static void await(Thread watch) {
    try {
      var _ = watch.join(FAREWELL.multipliedBy(2));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** A text frame came. Blocks as long as the process takes no input. */
  public void receive(String text) {
    if (!control || !obeyed(text)) {
      type(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A binary frame came. Blocks as long as the process takes no input. */
  public void receive(byte[] bytes) {
    type(bytes);
  }

  /** The terminal is no longer the peer's: says why, and hangs both up. */
  public void revoked(String reason) {
    end(NORMAL, reason, null);
  }

  /** The peer has gone. The process is hung up. */
  public void peerClosed() {
    ended.set(true);
    process.close();
  }

  private void type(byte[] bytes) {
    touch();
    try {
      synchronized (typing) {
        process.input().write(bytes);
        process.input().flush();
      }
    } catch (IOException _) {
      // The process has ended; the other direction tells the client.
    }
  }

  /** Whether it was an order of the client's program and not what a person typed. */
  private boolean obeyed(String text) {
    if (text.length() > LONGEST_CONTROL || !text.startsWith("{")) {
      return false;
    }
    try {
      JsonNode order = JSON.readTree(text);
      int columns = order.path("cols").asInt();
      int rows = order.path("rows").asInt();
      if (!order.path("type").asText().equals("resize")
          || columns < 1
          || columns > LARGEST_SIDE
          || rows < 1
          || rows > LARGEST_SIDE) {
        return false;
      }
      process.resize(columns, rows);
      return true;
    } catch (JsonProcessingException _) {
      return false;
    }
  }

  /** A character may come in two parts; a frame must hold whole ones. */
  private void copyOutput() throws IOException {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    InputStream output = process.output();
    ByteBuffer bytes = ByteBuffer.allocate(PART);
    CharBuffer characters = CharBuffer.allocate(PART + 1);
    while (true) {
      int count = output.read(bytes.array(), bytes.position(), bytes.remaining());
      if (count > 0) {
        touch();
        bytes.position(bytes.position() + count);
      }
      bytes.flip();
      decoder.decode(bytes, characters, count < 0);
      if (count < 0) {
        decoder.flush(characters);
      }
      bytes.compact();
      characters.flip();
      if (characters.hasRemaining() && !ended.get()) {
        peer.sendText(characters.toString());
      }
      characters.clear();
      if (count < 0) {
        return;
      }
    }
  }

  private void watch(Duration limit) {
    if (limit.isZero()) {
      return;
    }
    while (!Thread.interrupted()) {
      long left = limit.toNanos() - (System.nanoTime() - lastByteNanos);
      if (left <= 0) {
        end(IDLE, "nothing happened for too long", null);
        return;
      }
      LockSupport.parkNanos(left);
    }
  }

  private void broken(Exception e) {
    if (ended.get()) {
      return;
    }
    LOG.warn("a terminal of lease {} broke", lease, e);
    try {
      ObjectNode error = message("session_error");
      error.put("message", "The connection to the instance broke. Open a new terminal.");
      error.put("retryable", true);
      sendControl(error);
    } catch (IOException _) {
      // Perhaps it was the peer that broke.
    }
    end(BROKEN, "the connection broke", null);
  }

  private void end(int code, String reason, @org.jspecify.annotations.Nullable Integer exitCode) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    // First, for a peer that takes nothing may hold up the message.
    process.close();
    ObjectNode closed = message("session_closed");
    closed.put("reason", reason);
    if (exitCode != null) {
      closed.put("exit_code", exitCode);
    }
    farewell(closed);
    peer.close(code, reason);
  }

  /**
   * Waits only so long: a peer that takes nothing must not keep its terminal open. And is not
   * interrupted: the watch is, as soon as the process has ended.
   */
  private void farewell(ObjectNode closed) {
    Runnable send =
        () -> {
          try {
            sendControl(closed);
          } catch (IOException _) {
            // It is closed anyway.
          }
        };
    var _ =
        CompletableFuture.runAsync(send, Thread.ofVirtual().name("terminal-farewell")::start)
            .orTimeout(FAREWELL.toSeconds(), TimeUnit.SECONDS)
            .handle((_, _) -> true)
            .join();
  }

  private static ObjectNode message(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  private void sendControl(ObjectNode message) throws IOException {
    if (control) {
      peer.sendText(message.toString());
    }
  }

  private void touch() {
    lastByteNanos = System.nanoTime();
    activity.touch(lease);
  }
}
