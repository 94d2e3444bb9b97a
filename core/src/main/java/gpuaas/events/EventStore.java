package gpuaas.events;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** The events of all leases: the outbox, and the timeline of each. */
public final class EventStore {

  private EventStore() {}

  /** Writes an event with the change that made it true. */
  public static void append(Tx tx, Event event) {
    tx.update(
            """
            insert into event (id, type, lease_id, project_id, sequence, at, correlation_id, details)
            values (:id, :type, :lease, :project, :sequence, :at, :correlationId, :details::jsonb)
            """)
        .bind("id", event.id())
        .bind("type", event.type().text())
        .bind("lease", event.lease())
        .bind("project", event.project())
        .bind("sequence", event.sequence())
        .bind("at", event.at())
        .bind("correlationId", event.correlationId())
        .bind("details", Json.write(event.details()))
        .execute();
  }

  /** One event. */
  public static Optional<Event> find(Tx tx, UUID id) {
    return tx.query("select * from event where id = :id")
        .bind("id", id)
        .map(EventStore::read)
        .findOne();
  }

  /** What became true of a lease, oldest first, up to a limit. */
  public static List<Event> ofLease(Tx tx, UUID lease, int limit) {
    return tx.query("select * from event where lease_id = :lease order by sequence limit :limit")
        .bind("lease", lease)
        .bind("limit", limit)
        .map(EventStore::read)
        .list();
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
