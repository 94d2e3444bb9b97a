package gpuaas.events;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.events.EventSink.Fed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The events of a project to follow along: read from a cursor, however old, and wait for more.
 * Nothing is skipped, although events are committed out of order.
 */
public final class EventFeed {

  private final Database database;
  private final EventCursor cursor;
  private final Set<Following> followers = ConcurrentHashMap.newKeySet();
  private volatile long reached;

  /**
   * @param secrets encrypts the key of the cursors
   */
  public EventFeed(Database database, SecretBox secrets) {
    this.database = database;
    this.cursor = EventCursor.open(database, secrets);
  }

  /**
   * Which events are wanted.
   *
   * @param types empty: all
   * @param lease only of this one
   */
  public record Filter(Set<Event.Type> types, Optional<UUID> lease) {
    public Filter {
      types = Set.copyOf(types);
    }
  }

  /** An event, and the cursor to go on from after it. */
  public record Entry(String cursor, Event event) {}

  /**
   * Some events, oldest first.
   *
   * @param next where to go on from; there always is one
   * @param more true when there are events after it already
   */
  public record Part(List<Entry> entries, String next, boolean more) {
    public Part {
      entries = List.copyOf(entries);
    }
  }

  /**
   * Events of the caller's project after a cursor; without one, from the first. May have fewer than
   * the limit, even none, when the filter leaves out many: {@code more} counts.
   */
  public Part read(Caller caller, Optional<String> after, Filter filter, int limit) {
    caller.require(Action.EVENT_READ);
    long from = after.map(this::position).orElse(0L);
    EventStore.Slice slice =
        database.read(tx -> EventStore.slice(tx, caller.project(), from, filter, limit));
    List<Entry> entries =
        slice.events().stream()
            .map(fed -> new Entry(cursor.text(fed.position()), fed.event()))
            .toList();
    return new Part(entries, cursor.text(slice.next()), slice.more());
  }

  /** The cursor after everything there is now. */
  public String end(Caller caller) {
    caller.require(Action.EVENT_READ);
    return cursor.text(database.read(EventStore::told).position());
  }

  private long position(String text) {
    return cursor
        .position(text)
        .orElseThrow(
            () -> new Refused(Refusal.Invalid.field("after", "is not a cursor that we gave out")));
  }

  /** Follows the caller's project from now on; to be closed. */
  public Following follow(Caller caller) {
    caller.require(Action.EVENT_READ);
    Following following = new Following(caller.project());
    followers.add(following);
    return following;
  }

  /** These were told just now, by this server; what is missing before them, by others. */
  void told(List<Fed> events) {
    if (events.isEmpty()) {
      return;
    }
    reached(events.getFirst().position() - 1);
    reached = Math.max(reached, events.getLast().position());
    Set<UUID> projects =
        events.stream().map(fed -> fed.event().project()).collect(Collectors.toSet());
    followers.stream().filter(each -> projects.contains(each.project)).forEach(Following::wake);
  }

  /** Up to here was told, by whatever server. */
  void reached(long position) {
    if (position > reached) {
      reached = position;
      followers.forEach(Following::wake);
    }
  }

  /** Somebody who waits for more. */
  public final class Following implements AutoCloseable {
    private final UUID project;
    private final Semaphore news = new Semaphore(0);

    private Following(UUID project) {
      this.project = project;
    }

    /**
     * Returns when there may be more, or after the limit: false. What comes between calls is kept.
     */
    public boolean await(Duration limit) throws InterruptedException {
      boolean woken = news.tryAcquire(limit.toMillis(), TimeUnit.MILLISECONDS);
      news.drainPermits();
      return woken;
    }

    private void wake() {
      news.release();
    }

    @Override
    public void close() {
      followers.remove(this);
    }
  }
}
