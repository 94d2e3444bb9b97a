package gpuaas.identity;

import gpuaas.base.Role;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** What makes somebody a member of a project, once, until it expires. */
public record Invitation(
    UUID id,
    UUID project,
    Role role,
    UUID madeBy,
    Instant madeAt,
    Instant expiresAt,
    Optional<UUID> acceptedBy,
    Optional<Instant> revokedAt) {

  /** True when it can be accepted. */
  public boolean isOpen(Instant now) {
    return acceptedBy.isEmpty() && revokedAt.isEmpty() && now.isBefore(expiresAt);
  }
}
