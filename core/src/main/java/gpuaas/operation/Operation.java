package gpuaas.operation;

import gpuaas.events.Event;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What a request set off, as one can ask for it later. It is not kept: it follows from the events
 * of the lease, so that the two can never disagree. Its id is that of the event that recorded the
 * request.
 *
 * @param reason why it failed; empty otherwise
 */
public record Operation(
    UUID id,
    Kind kind,
    State state,
    UUID lease,
    Instant createdAt,
    Instant updatedAt,
    Optional<Instant> completedAt,
    Optional<String> reason) {

  /** What was asked. */
  public enum Kind {
    CREATE,
    DELETE
  }

  /** How far it is. The last three are final. */
  public enum State {
    PENDING,
    IN_PROGRESS,
    SUCCEEDED,
    FAILED,
    CANCELLED
  }

  /** The making of a lease that was accepted just now. */
  public static Operation accepted(UUID lease, Instant now) {
    return new Operation(
        Event.idOf(lease, 0),
        Kind.CREATE,
        State.PENDING,
        lease,
        now,
        now,
        Optional.empty(),
        Optional.empty());
  }

  /** The making of a lease, from all its events, oldest first. */
  public static Operation creation(List<Event> life) {
    Event first = life.getFirst();
    Operation operation = accepted(first.lease(), first.at());
    for (Event event : life) {
      operation =
          switch (event.type()) {
            case LEASE_PLACED, LEASE_BOOTING, LEASE_DECLINED ->
                operation.at(State.IN_PROGRESS, event);
            case LEASE_RUNNING -> operation.done(State.SUCCEEDED, event);
            case LEASE_STOPPING, LEASE_ENDED ->
                operation.done(
                    reason(event).equals("asked") ? State.CANCELLED : State.FAILED, event);
            case LEASE_REQUESTED,
                LEASE_RECLAIMING,
                LEASE_FUNDS_LOW,
                LEASE_BUDGET_WARNING,
                LEASE_BUDGET_EXCEEDED,
                LEASE_EXTENDED,
                LEASE_ENDING_SOON,
                LEASE_IDLE_WARNING,
                LEASE_IDLE_UNKNOWN,
                LEASE_FILES_KEPT,
                LEASE_FILES_LOST,
                LEASE_DISK_FILLING,
                LEASE_OUT_OF_MEMORY,
                LEASE_GPU_LOST,
                LEASE_GPU_BACK,
                LEASE_FAILING,
                LEASE_RESTARTING,
                LEASE_STOP_STUCK,
                LEASE_STOP_RETRIED,
                LEASE_DISMISSED ->
                operation;
          };
      if (operation.completedAt().isPresent()) {
        return operation;
      }
    }
    return operation;
  }

  /** The ending of a lease that somebody asked for; empty when nobody did. */
  public static Optional<Operation> deletion(List<Event> life) {
    Optional<Event> asked =
        life.stream().filter(event -> event.type() == Event.Type.LEASE_DISMISSED).findFirst();
    return asked
        .or(() ->
            life.stream()
                .filter(event ->
                    event.type() == Event.Type.LEASE_STOPPING
                        || event.type() == Event.Type.LEASE_ENDED)
                .findFirst())
        .map(event -> deletion(event, life));
  }

  /** The ending that this event records. */
  static Operation deletion(Event asked, List<Event> life) {
    Operation operation =
        new Operation(
            asked.id(),
            Kind.DELETE,
            State.IN_PROGRESS,
            asked.lease(),
            asked.at(),
            asked.at(),
            Optional.empty(),
            Optional.empty());
    return life.stream()
        .filter(event -> event.type() == Event.Type.LEASE_ENDED)
        .findFirst()
        .map(end -> operation.done(State.SUCCEEDED, end.at().isBefore(asked.at()) ? asked : end))
        .orElse(operation);
  }

  private Operation at(State next, Event event) {
    return new Operation(
        id, kind, next, lease, createdAt, event.at(), Optional.empty(), Optional.empty());
  }

  private Operation done(State next, Event event) {
    return new Operation(
        id,
        kind,
        next,
        lease,
        createdAt,
        event.at(),
        Optional.of(event.at()),
        next == State.FAILED ? Optional.of(reason(event)) : Optional.empty());
  }

  private static String reason(Event event) {
    return event.details().getOrDefault("reason", "");
  }
}
