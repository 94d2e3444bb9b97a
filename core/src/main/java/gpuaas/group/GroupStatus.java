package gpuaas.group;

import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How a group is: what its leases are, in one word. Never kept, so that it cannot be wrong. */
public enum GroupStatus {
  /** Nothing of it has begun. */
  REQUESTED,
  /** Some of it is on its way up. */
  PROVISIONING,
  /** All of it can be used that was not given back. */
  ACTIVE,
  /** Some of it can be used, and some has failed. */
  DEGRADED,
  /** Nothing of it can be used or will be, and some of it is on its way out. */
  RELEASING,
  /** The same, and the end of some of it takes longer than it may. */
  RELEASE_FAILED,
  /** Nothing of it is left. */
  RELEASED,
  /** The same, and none of it ever did what was asked. */
  FAILED;

  /** The name outside. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Of these leases; of none it is released. */
  static GroupStatus of(List<Lease> leases) {
    Set<GroupStatus> words = EnumSet.noneOf(GroupStatus.class);
    leases.forEach(lease -> words.add(word(lease)));
    return of(words);
  }

  /** Of leases that are such by themselves. */
  static GroupStatus of(Set<GroupStatus> words) {
    boolean failed = words.contains(FAILED);
    if (words.contains(ACTIVE)) {
      boolean coming = words.contains(PROVISIONING) || words.contains(REQUESTED);
      return failed ? DEGRADED : coming ? PROVISIONING : ACTIVE;
    }
    for (GroupStatus word : List.of(PROVISIONING, REQUESTED, RELEASE_FAILED, RELEASING)) {
      if (words.contains(word)) {
        return word;
      }
    }
    return failed && !words.contains(RELEASED) ? FAILED : RELEASED;
  }

  /** What one lease would be as a group. */
  private static GroupStatus word(Lease lease) {
    return switch (lease.state()) {
      case Waiting _ -> REQUESTED;
      case Provisioning _, Booting _ -> PROVISIONING;
      case Running _ -> ACTIVE;
      case Stopping s when s.why().isFailure() && !lease.history().trouble().takesTooLong() ->
          FAILED;
      case Stopping _ -> lease.history().trouble().takesTooLong() ? RELEASE_FAILED : RELEASING;
      case Ended e -> e.why().isFailure() ? FAILED : RELEASED;
    };
  }
}
