package gpuaas.lease;

import java.time.Instant;
import java.time.InstantSource;

/** Applies a signal to a lease as it was read, and writes what follows. */
record Signals(LeaseBook book, InstantSource clock, LeaseRules rules) {

  /** False: the lease had moved on, and nothing was written. */
  boolean apply(Lease lease, LeaseSignal signal) {
    Change change = lease.on(signal, clock.instant(), rules);
    return change.isEmpty() || book.write(change);
  }

  Instant now() {
    return clock.instant();
  }
}
