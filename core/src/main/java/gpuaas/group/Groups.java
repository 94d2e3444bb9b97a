package gpuaas.group;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.group.Group.Whole;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.Leases;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** What callers can do with groups of leases. */
public final class Groups {

  /** So many leases a group has at most. */
  public static final int LEASES_MOST = 64;

  private final Database database;
  private final Leases leases;
  private final Supplier<UUID> ids;
  private final InstantSource clock;

  public Groups(Database database, Leases leases, Supplier<UUID> ids, InstantSource clock) {
    this.database = database;
    this.leases = leases;
    this.ids = ids;
    this.clock = clock;
  }

  /**
   * Asks for so many leases of one kind: all of them are accepted, or none.
   *
   * @param count at least one, at most {@link #LEASES_MOST}
   */
  public Whole request(Tx tx, Caller caller, String name, LeaseSpec spec, int count) {
    caller.require(Action.LEASE_CREATE);
    Group group =
        new Group(
            ids.get(),
            caller.tenant(),
            caller.project(),
            caller.user(),
            name,
            clock.instant(),
            caller.correlationId());
    GroupStore.add(tx, group);
    LeaseSpec member = spec.noting(LeaseSpec.GROUP, group.id().toString());
    List<Lease> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(leases.request(tx, caller, member, Optional.empty()));
    }
    AuditStore.append(tx, caller, Act.ALLOCATION_GROUP_CREATE, group.id(), clock.instant());
    return new Whole(group, members);
  }

  /** A group that the caller may see. */
  public Whole get(Caller caller, UUID id) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> whole(tx, visible(tx, caller, id)));
  }

  /**
   * Groups of the caller's project, newest first.
   *
   * @param after where the last page ended, as its {@code next} says
   */
  public Page<Whole> list(Caller caller, Optional<UUID> after, int limit) {
    caller.require(Action.LEASE_READ);
    return database.read(tx -> {
      Optional<Group> before = after.map(id -> visible(tx, caller, id));
      List<Whole> found =
          GroupStore.list(tx, caller.project(), before, limit + 1).stream()
              .map(group -> whole(tx, group))
              .toList();
      return Page.of(found, limit, one -> one.group().id());
    });
  }

  /** Asks all its leases to end; asking again is fine. */
  public Whole release(Tx tx, Caller caller, UUID id) {
    caller.require(Action.LEASE_STOP);
    Group group = visible(tx, caller, id);
    List<Lease> after = new ArrayList<>();
    for (Lease lease : GroupStore.leases(tx, group)) {
      after.add(leases.stop(tx, caller, lease.id(), EndReason.ASKED));
    }
    AuditStore.append(tx, caller, Act.ALLOCATION_GROUP_RELEASE, id, clock.instant());
    return new Whole(group, after);
  }

  private static Whole whole(Tx tx, Group group) {
    return new Whole(group, GroupStore.leases(tx, group));
  }

  private static Group visible(Tx tx, Caller caller, UUID id) {
    return GroupStore.find(tx, id)
        .filter(group -> caller.sees(group.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.GROUP, id.toString())));
  }
}
