package gpuaas.identity;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A key that programs come with. What opens is shown once and kept as a hash.
 *
 * @param prefix its first characters, to tell keys apart and for scanners to know one by
 */
public record ApiKey(
    UUID id,
    UUID tenant,
    UUID project,
    UUID person,
    String name,
    String prefix,
    Scopes scopes,
    Instant madeAt,
    Optional<Instant> expiresAt,
    Optional<Instant> lastUsedAt,
    Optional<Instant> revokedAt) {

  /** True when it opens at this moment. */
  public boolean isValid(Instant now) {
    return revokedAt.isEmpty() && expiresAt.map(now::isBefore).orElse(true);
  }
}
