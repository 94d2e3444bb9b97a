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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
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
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);
  private static final int LARGEST_SIDE = 1000;

  private final ExecChannel process;
  private final TerminalPeer peer;
  private final boolean control;
  private final UUID lease;
  private final Activity activity;
  private final AtomicBoolean ended = new AtomicBoolean();
  private final Object typing = new Object();
  private final Object sending = new Object();
  private volatile boolean done;
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
    } catch (PeerGone _) {
      peerClosed();
      peer.close(BROKEN, "the connection broke");
    } catch (IOException | RuntimeException e) {
      broken(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      end(BROKEN, "the server is stopping", null);
    } finally {
      process.close();
      done = true;
      LockSupport.unpark(watch);
      finish(watch);
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

  /** The allocation is no longer the peer's: says so, and hangs both up. */
  public void revoked() {
    end(NORMAL, "the allocation was released", null);
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
      if (characters.hasRemaining()) {
        sendOutput(characters.toString());
      }
      characters.clear();
      if (count < 0) {
        return;
      }
    }
  }

  /** It may be saying the last words. */
  private static void finish(Thread watch) {
    try {
      watch.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void watch(Duration limit) {
    if (limit.isZero()) {
      return;
    }
    while (!done) {
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

  private void end(int code, String reason, @Nullable Integer exitCode) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    process.close();
    ObjectNode closed = message("session_closed");
    closed.put("reason", reason);
    if (exitCode != null) {
      closed.put("exit_code", exitCode);
    }
    // A peer that takes nothing must be closed all the same, without the last words.
    Thread words = Thread.ofVirtual().name("terminal-end").start(() -> lastWords(closed));
    try {
      var _ = words.join(LAST_WORDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    peer.close(code, reason);
  }

  private void lastWords(ObjectNode closed) {
    try {
      sendControl(closed);
    } catch (IOException _) {
      // It is closed anyway.
    }
  }

  private static ObjectNode message(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  private void sendControl(ObjectNode message) throws IOException {
    if (control) {
      synchronized (sending) {
        send(message.toString());
      }
    }
  }

  /** Nothing comes after the last words. */
  private void sendOutput(String text) throws IOException {
    synchronized (sending) {
      if (!ended.get()) {
        send(text);
      }
    }
  }

  private void send(String text) throws PeerGone {
    try {
      peer.sendText(text);
    } catch (IOException e) {
      throw new PeerGone(e);
    }
  }

  /** Tells a browser that left, which is daily life, from an instance that is lost. */
  private static final class PeerGone extends IOException {
    private static final long serialVersionUID = 1;

    PeerGone(IOException cause) {
      super(cause);
    }
  }

  private void touch() {
    lastByteNanos = System.nanoTime();
    activity.touch(lease);
  }
}
