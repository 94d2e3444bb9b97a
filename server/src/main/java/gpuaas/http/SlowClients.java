package gpuaas.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;

/**
 * Cuts off who takes too long to say what they want: a byte now and then keeps a connection from
 * being idle, and would hold it for days.
 */
final class SlowClients implements Connection.Listener, HttpConfiguration.Customizer {

  private static final Duration LOOK_EVERY = Duration.ofMillis(500);

  private final Duration limit;
  private final Map<Connection, Head> heads = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /**
   * @param limit from the first byte of a head to its last
   */
  SlowClients(Duration limit) {
    this.limit = limit;
  }

  /** What is known of the next head on a connection. */
  private static final class Head {
    private boolean answering;
    private long bytesBefore;
    private long begunNanos;

    synchronized void complete() {
      answering = true;
      begunNanos = 0;
    }

    synchronized void answered(long bytes) {
      answering = false;
      bytesBefore = bytes;
    }

    synchronized boolean isLate(long bytes, long nowNanos, Duration limit) {
      if (answering || bytes <= bytesBefore) {
        return false;
      }
      if (begunNanos == 0) {
        begunNanos = nowNanos;
      }
      return nowNanos - begunNanos > limit.toNanos();
    }
  }

  @Override
  public void onOpened(Connection connection) {
    if (connection
        instanceof ConnectionMetaData) { // it speaks HTTP, and is no socket that a request became
      heads.put(connection, new Head());
    }
  }

  @Override
  public void onClosed(Connection connection) {
    heads.remove(connection);
  }

  /** Called when a head is complete. */
  @Override
  public Request customize(Request request, HttpFields.Mutable responseHeaders) {
    Connection connection = request.getConnectionMetaData().getConnection();
    Head head = heads.get(connection);
    if (head != null) {
      head.complete();
      Request.addCompletionListener(request, _ -> head.answered(connection.getBytesIn()));
    }
    return request;
  }

  /** Looks again and again, until it is closed. */
  void start() {
    Thread.ofVirtual()
        .name("slow-clients")
        .start(() -> {
          while (!closed) {
            LockSupport.parkNanos(LOOK_EVERY.toNanos());
            long now = System.nanoTime();
            heads.forEach((connection, head) -> {
              if (head.isLate(connection.getBytesIn(), now, limit)) {
                hangUp(connection);
              }
            });
          }
        });
  }

  private static void hangUp(Connection connection) {
    EndPoint endPoint = connection.getEndPoint();
    if (endPoint != null) {
      endPoint.close();
    }
  }

  void close() {
    closed = true;
  }
}
