package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.ledger.Evidence;
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

  /**
   * What is not yet written down of a lease that runs; nothing when the clock went back, or while
   * GPUs of it do not work.
   */
  static List<Usage> usage(Lease lease, LeaseState.Running r, Instant now, Evidence end) {
    if (!r.meteredTo().isBefore(now) || !lease.history().trouble().lostGpus().isEmpty()) {
      return List.of();
    }
    Evidence start =
        r.meteredTo().equals(r.since())
            ? Evidence.answered(r.ssh(), r.since())
            : Evidence.inspected(r.instance(), r.meteredTo());
    return List.of(
        new Usage(
            lease.id(),
            r.since(),
            r.meteredTo(),
            now,
            lease.spec().want().gpuCount(),
            lease.pricePerGpuHourMicros(),
            start,
            end));
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
