package gpuaas.operation;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Looks operations up. */
public final class Operations {

  private static final int TURNS_MOST = 1000;

  private final Database database;

  public Operations(Database database) {
    this.database = database;
  }

  /** An operation on a lease that the caller may see. */
  public Operation get(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx ->
        EventStore.find(tx, id)
            .filter(event -> caller.sees(event.project()))
            .flatMap(event -> of(tx, event))
            .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.OPERATION, id.toString()))));
  }

  /** The ending of a lease that was asked for in this transaction or before. */
  public Operation deletion(Tx tx, UUID lease) {
    return Operation.deletion(EventStore.turnsOfLease(tx, lease, TURNS_MOST))
        .orElseThrow(() -> new IllegalStateException("nobody asked " + lease + " to end"));
  }

  private static Optional<Operation> of(Tx tx, Event event) {
    List<Event> life = EventStore.turnsOfLease(tx, event.lease(), TURNS_MOST);
    return switch (event.type()) {
      case LEASE_REQUESTED -> Optional.of(Operation.creation(life));
      case LEASE_STOPPING, LEASE_ENDED, LEASE_DISMISSED ->
          Operation.deletion(life).filter(found -> found.id().equals(event.id()));
      case LEASE_PLACED,
          LEASE_BOOTING,
          LEASE_DECLINED,
          LEASE_RUNNING,
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
          LEASE_STOP_RETRIED ->
          Optional.empty();
    };
  }
}
