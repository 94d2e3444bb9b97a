package gpuaas.events;

import gpuaas.db.Insert;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.events.EventSink.Fed;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** The events of all leases: the outbox, and the timeline of each. */
public final class EventStore {

  private static final long RELAY_LOCK = 0x6576656e7473L;
  private static final int WINDOW = 2000;

  private static final Insert<Event> ROWS =
      Insert.<Event>into("event")
          .with("id", "uuid", Event::id)
          .with("type", "text", event -> event.type().text())
          .with("lease_id", "uuid", Event::lease)
          .with("project_id", "uuid", Event::project)
          .with("sequence", "bigint", Event::sequence)
          .with("at", "timestamptz", Event::at)
          .with("correlation_id", "text", Event::correlationId)
          .with("details", "jsonb", event -> Json.write(event.details()));

  private EventStore() {}

  /** Writes an event with the change that made it true. */
  public static void append(Tx tx, Event event) {
    tx.later(ROWS, event);
  }

  /** One event. */
  public static Optional<Event> find(Tx tx, UUID id) {
    return tx.query("select * from event where id = :id")
        .bind("id", id)
        .map(EventStore::read)
        .findOne();
  }

  /**
   * What made a lease go on, oldest first: without warnings, of which a long life may have any
   * number.
   */
  public static List<Event> turnsOfLease(Tx tx, UUID lease, int limit) {
    List<String> turns =
        Arrays.stream(Event.Type.values())
            .filter(Event.Type::isTurn)
            .map(Event.Type::text)
            .toList();
    return tx.query(
            "select * from event where lease_id = :lease and type = any(:turns) order by sequence"
                + " limit :limit")
        .bind("lease", lease)
        .bindArray("turns", String.class, turns)
        .bind("limit", limit)
        .map(EventStore::read)
        .list();
  }

  /** What became true of a lease, oldest first, up to a limit. */
  public static List<Event> ofLease(Tx tx, UUID lease, int limit) {
    return tx.query("select * from event where lease_id = :lease order by sequence limit :limit")
        .bind("lease", lease)
        .bind("limit", limit)
        .map(EventStore::read)
        .list();
  }

  /** How far the relay is: the last position, and whether there is more to relay. */
  record Told(long position, boolean more) {}

  static Told told(Tx tx) {
    return tx.query(
            """
            select (select coalesce(max(position), 0) from event where position is not null) as position,
              exists (select 1 from event where position is null) as more
            """)
        .map(row ->
            new Told(row.getColumn("position", Long.class), row.getColumn("more", Boolean.class)))
        .one();
  }

  /**
   * Gives the next events their positions. Others who would wait until this transaction is over:
   * whoever sees a position sees all before it.
   */
  static List<Fed> position(Tx tx, int most) {
    tx.query("select 1 from pg_advisory_xact_lock(:lock)")
        .bind("lock", RELAY_LOCK)
        .mapTo(Integer.class)
        .list();
    return tx.query(
            """
            with next as materialized (
              select id, row_number() over (order by number) as place from (
                select id, number from event where position is null order by number limit :most) unrelayed),
            last as materialized (
              select coalesce(max(position), 0) as position from event where position is not null),
            told as (
              update event set position = last.position + next.place from next, last where event.id = next.id
              returning event.*)
            select * from told order by position
            """)
        .bind("most", most)
        .map(EventStore::readFed)
        .list();
  }

  /** A part of a project's events; {@code next} is how far it was looked. */
  record Slice(List<Fed> events, long next, boolean more) {}

  /** Looks at a limited number of events, of which the filter may leave few. */
  static Slice slice(Tx tx, UUID project, long after, EventFeed.Filter filter, int limit) {
    List<Fed> looked =
        tx.query(
                """
                select * from event
                 where project_id = :project and position > :after and position is not null
                   and (:lease::uuid is null or lease_id = :lease::uuid)
                 order by position limit :window
                """)
            .bind("project", project)
            .bind("after", after)
            .bind("lease", filter.lease().orElse(null))
            .bind("window", (filter.types().isEmpty() ? limit : WINDOW) + 1)
            .map(EventStore::readFed)
            .list();
    List<Fed> wanted =
        looked.stream()
            .limit(filter.types().isEmpty() ? limit : WINDOW)
            .filter(fed -> filter.types().isEmpty() || filter.types().contains(fed.event().type()))
            .limit(limit)
            .toList();
    boolean full = wanted.size() == limit;
    boolean cut = looked.size() > (filter.types().isEmpty() ? limit : WINDOW);
    long lookedTo = looked.isEmpty() ? after : looked.get(looked.size() - (cut ? 2 : 1)).position();
    long next = full ? wanted.getLast().position() : lookedTo;
    return new Slice(wanted, next, cut || next < lookedTo);
  }

  private static Fed readFed(RowView row) {
    return new Fed(
        row.getColumn("position", Long.class), row.getColumn("number", Long.class), read(row));
  }

  @SuppressWarnings("unchecked")
  private static Event read(RowView row) {
    return new Event(
        row.getColumn("id", UUID.class),
        Event.Type.valueOf(
            row.getColumn("type", String.class).toUpperCase(Locale.ROOT).replace('.', '_')),
        row.getColumn("lease_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("sequence", Long.class),
        row.getColumn("at", Instant.class),
        row.getColumn("correlation_id", String.class),
        Json.read(row.getColumn("details", String.class), Map.class));
  }
}
