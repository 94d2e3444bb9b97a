package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.ledger.Usage;
import java.util.List;

/**
 * What follows from a signal: the lease afterwards, what to tell, what to charge. Written in one
 * transaction, against the version before; the only door to charging.
 */
public record Change(Lease before, Lease after, List<Event> events, List<Usage> usage) {

  public Change {
    events = List.copyOf(events);
    usage = List.copyOf(usage);
  }

  /** True when the signal changed nothing, so that there is nothing to write. */
  public boolean isEmpty() {
    return after.equals(before);
  }
}
