package gpuaas.events;

import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.events.EventSink.Fed;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each event its position among all and hands it to every sink, in one transaction. One relay
 * at a time, of all servers: the order of positions is the order of commits.
 */
public final class EventRelay implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EventRelay.class);
  private static final int AT_ONCE = 500;
  private static final int TRIES = 5;

  private final Database database;
  private final List<EventSink> sinks;
  private final EventFeed feed;
  private final Duration pollEvery;
  private final Duration gather;
  private final Semaphore wakes = new Semaphore(0);
  private final Thread loop = Thread.ofPlatform().daemon().name("events").unstarted(this::run);
  private volatile boolean closed;
  private int failures;

  /**
   * @param feed told last, after the commit
   * @param pollEvery how often is looked for events of other servers
   * @param gather the least time between two transactions, in which events gather when many come
   */
  public EventRelay(
      Database database,
      List<EventSink> sinks,
      EventFeed feed,
      Duration pollEvery,
      Duration gather) {
    this.database = database;
    this.sinks = List.copyOf(sinks);
    this.feed = feed;
    this.pollEvery = pollEvery;
    this.gather = gather;
  }

  /** Begins to relay. */
  public void start() {
    loop.start();
  }

  /** Looks now. To be called after the commit of what wrote an event. */
  public void wake() {
    wakes.release();
  }

  @Override
  public void close() {
    closed = true;
    wake();
    try {
      if (loop.isAlive()) {
        loop.join(Duration.ofSeconds(5));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    boolean woken = false;
    while (!closed) {
      long start = System.nanoTime();
      boolean more = false;
      try {
        more = woken ? relayOwn() : round();
        failures = 0;
      } catch (DatabaseGone e) {
        log.warn("events wait for the database: {}", e.getMessage());
      } catch (RuntimeException e) {
        failures++;
        log.error("an event was not taken, try {}", failures, e);
      }
      try {
        woken = more || wakes.tryAcquire(pollEvery.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      LockSupport.parkNanos(woken && !more ? start + gather.toNanos() - System.nanoTime() : 0);
      wakes.drainPermits();
    }
  }

  /** There surely is something, unless another server was faster. True: there may be more. */
  private boolean relayOwn() {
    int relayed = relay(failures);
    return relayed == 0 ? round() : relayed == AT_ONCE;
  }

  private boolean round() {
    EventStore.Told told = database.read(EventStore::told);
    if (!told.more()) {
      feed.reached(told.position());
      return false;
    }
    return relay(failures) > 0;
  }

  /**
   * Relays some events; how many. After a failure one at a time, so that one event which cannot be
   * told holds up no other for long: after some tries it is passed over.
   */
  int relay(int failuresBefore) {
    int most = failuresBefore == 0 ? AT_ONCE : 1;
    List<Fed> events =
        database.tx(tx -> {
          List<Fed> next = EventStore.position(tx, most);
          if (failuresBefore < TRIES) {
            sinks.forEach(sink -> sink.take(tx, next));
          } else {
            log.error("no sink is told of {}: it failed {} times", next, failuresBefore);
          }
          return next;
        });
    feed.told(events);
    return events.size();
  }
}
