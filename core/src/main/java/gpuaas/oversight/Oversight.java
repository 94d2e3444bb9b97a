package gpuaas.oversight;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.capacity.NodeStore;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore.Filter;
import gpuaas.lease.LeaseSignal;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.Leases;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Everybody's leases, for those who run the platform. */
public final class Oversight {

  private final Database database;
  private final Leases leases;
  private final InstantSource clock;

  public Oversight(Database database, Leases leases, InstantSource clock) {
    this.database = database;
    this.leases = leases;
    this.clock = clock;
  }

  /**
   * A lease, and what it still holds.
   *
   * @param gpuIds GPUs that nobody else gets
   */
  public record Held(Lease lease, List<String> gpuIds) {

    /** True when it ended without a proof that nothing of it is left, and there is none yet. */
    public boolean isBlocked() {
      return lease.state() instanceof Ended && !gpuIds.isEmpty();
    }
  }

  /**
   * What somebody says of a lease whose end its provider does not confirm.
   *
   * @param runtimeVerifiedAbsent true: they have seen that nothing of it runs or is kept any more
   * @param words how they know, or why they give up; for the trail
   */
  public record Evidence(boolean runtimeVerifiedAbsent, String words) {}

  /**
   * Leases of one project or of all, newest first.
   *
   * @param after where the last page ended, as its {@code next} says
   */
  public Page<Lease> list(
      Caller caller, Optional<UUID> project, Filter filter, Optional<UUID> after, int limit) {
    return leases.listAll(caller, project, filter, after, limit);
  }

  /** One of anybody's. */
  public Held get(Caller caller, UUID id) {
    caller.require(Action.PLATFORM_OPERATE);
    return database.read(tx ->
        held(
            tx,
            leases
                .find(tx, id)
                .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.LEASE, id.toString())))));
  }

  /**
   * Ends it, in whatever state it is; one whose end is stuck is tried anew, at once. Asking again
   * is fine.
   *
   * @param words why, for the trail; may be empty
   */
  public Held forceRelease(Tx tx, Caller caller, UUID id, String words) {
    Lease lease = leases.lockAny(tx, caller, id);
    LeaseSignal stop = new LeaseSignal.StopAsked(EndReason.FORCED, caller.correlationId());
    if (leases.operate(tx, lease, stop)) {
      write(tx, caller, lease, Act.ALLOCATION_FORCE_RELEASE, Map.of("words", words));
    }
    return held(tx, leases.find(tx, id).orElseThrow());
  }

  /**
   * Ends it without its provider's word. With proof what it held is free; without, it has failed,
   * and what it held stays blocked until somebody brings the proof or its provider shows that
   * nothing is left. Whatever is there all the same is destroyed when its provider answers again.
   *
   * @throws Refused when its end is not stuck
   */
  public Held forceCleanup(Tx tx, Caller caller, UUID id, Evidence evidence) {
    Lease lease = leases.lockAny(tx, caller, id);
    boolean changed =
        switch (lease.state()) {
          case Stopping _ when lease.history().trouble().takesTooLong() ->
              leases.operate(
                  tx, lease, new LeaseSignal.CleanupForced(evidence.runtimeVerifiedAbsent()));
          case Ended e when e.why() == EndReason.CLEANUP_UNPROVEN ->
              evidence.runtimeVerifiedAbsent() && leases.proven(tx, lease);
          case Ended _ -> false;
          default ->
              throw new Refused(
                  new Refusal.WrongState(
                      Kind.LEASE, id.toString(), lease.state().text(), "release_failed"));
        };
    if (changed) {
      Map<String, String> details = new HashMap<>();
      details.put("runtime_verified_absent", Boolean.toString(evidence.runtimeVerifiedAbsent()));
      details.put("evidence", evidence.words());
      details.put("stuck", lease.history().trouble().stuck());
      lease.state().named().ifPresent(instance -> details.put("instance", instance.id()));
      write(tx, caller, lease, Act.ALLOCATION_FORCE_CLEANUP, details);
    }
    return held(tx, leases.find(tx, id).orElseThrow());
  }

  private static Held held(Tx tx, Lease lease) {
    return new Held(lease, NodeStore.claimed(tx, lease.id()));
  }

  private void write(Tx tx, Caller caller, Lease lease, Act act, Map<String, String> details) {
    AuditStore.append(tx, caller, lease.project(), act, lease.id(), clock.instant(), details);
  }
}
