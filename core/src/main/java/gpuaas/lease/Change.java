package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.ledger.Usage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What follows from a signal: the lease afterwards, what to tell, what to charge. Written in one
 * transaction, against the version before; the only door to charging.
 */
public record Change(Lease before, Lease after, List<Event> events, List<Usage> usage) {

  public Change {
    events = List.copyOf(events);
    usage = List.copyOf(usage);
  }

  /** When the lease was proved to be ready, if this is the change that says so. */
  public Optional<Instant> startedAt() {
    return after.state() instanceof LeaseState.Running running
            && !(before.state() instanceof LeaseState.Running)
        ? Optional.of(running.since())
        : Optional.empty();
  }

  /** True when the signal changed nothing, so that there is nothing to write. */
  public boolean isEmpty() {
    return after.equals(before);
  }
}
