package gpuaas.lease;

import gpuaas.work.Next;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The leases as the steps see them: read afresh, written only against the version that was read.
 * {@link LeaseStore} is the one of the product; the simulation keeps another in memory, so that it
 * runs the very steps that ship.
 */
interface LeaseBook {

  /** The lease as it is now. */
  Optional<Lease> find(UUID lease);

  /** Finds a place for a waiting lease in its turn, takes it, and writes that: all or nothing. */
  Turn place(Lease waiting, Instant now);

  /**
   * Writes lease, events, usage and claims; false: the lease had moved on, and nothing was written.
   */
  boolean write(Change change);

  /** What became of a lease's turn to be placed. */
  sealed interface Turn {
    /** Placed, and written. */
    record Taken(Lease after) implements Turn {}

    /**
     * There is no room now, or it is not its turn.
     *
     * @param makingRoom true: spot leases make room for it
     */
    record Full(boolean makingRoom) implements Turn {}

    /** The lease had moved on. */
    record MovedOn() implements Turn {}
  }

  /** True while the files of another lease are taken that this one begins with. */
  boolean isKeptNow(Lease lease);

  /** The other members of its gang, ended ones too; empty for a lease by itself. */
  default List<Lease> mates(Lease lease) {
    return List.of();
  }

  /** Ids of GPUs that it holds on our own nodes and that do not work, in order. */
  default List<String> lostGpus(Lease lease) {
    return List.of();
  }

  /** Those that ended without a proof and hold something at this provider to this day. */
  default List<Lease> unproven(String provider) {
    return List.of();
  }

  /** Nothing is left of one of those: what it held is free. */
  default void proven(Lease lease) {}

  /** The public keys, as OpenSSH lines, that open the lease. */
  List<String> authorizedKeys(Lease lease);

  /**
   * Applies a signal to a lease as it was read, and writes what follows.
   *
   * @param then the step of a lease that was just written
   */
  record Signals(LeaseBook book, InstantSource clock, LeaseRules rules, Then then) {

    /** A step of a lease that is known. */
    interface Then {
      Next step(Lease lease) throws InterruptedException;
    }

    /** False: the lease had moved on, and nothing was written. */
    boolean apply(Lease lease, LeaseSignal signal) {
      Change change = lease.on(signal, clock.instant(), rules);
      return change.isEmpty() || book.write(change);
    }

    /** The same, and goes on from what was written; afresh when the lease had moved on. */
    Next goOn(Lease lease, LeaseSignal signal) {
      Change change = lease.on(signal, clock.instant(), rules);
      return !change.isEmpty() && book.write(change)
          ? Next.goOn(() -> then.step(change.after()))
          : Next.now();
    }

    Instant now() {
      return clock.instant();
    }
  }
}
