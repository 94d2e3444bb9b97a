package gpuaas.group;

import gpuaas.lease.Lease;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * Leases that were asked for together.
 *
 * @param requestedBy for the trail; what one may do with it goes by the project
 * @param name a label; need not be unique
 * @param correlationId of the request that made it
 */
public record Group(
    UUID id,
    UUID tenant,
    UUID project,
    UUID requestedBy,
    String name,
    Instant createdAt,
    String correlationId) {

  /** A group with its leases, in the order they were asked for. */
  public record Whole(Group group, List<Lease> leases) {
    public Whole {
      leases = List.copyOf(leases);
    }

    /** How it is. */
    public GroupStatus status() {
      return GroupStatus.of(leases);
    }
  }
}
