package gpuaas.identity;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Role;
import gpuaas.base.Standing;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * A program with a name of its own in a project.
 *
 * @param id by which what it made and did is known
 * @param accountId what it calls itself, such as {@code sa-1234}
 * @param role in its project, and nowhere else
 * @param scopes what it may do at most
 */
public record ServiceAccount(
    UUID id,
    String accountId,
    UUID tenant,
    UUID project,
    String name,
    String slug,
    Role role,
    Scopes scopes,
    UUID madeBy,
    Instant madeAt,
    Optional<Instant> deletedAt) {

  /** What it is in its project. */
  public Standing standing() {
    Set<Action> actions = scopes.actions();
    return Standing.inProject(role, Optional.of(actions));
  }

  /** It as a caller. */
  public Caller caller(String correlationId) {
    return new Caller(id, accountId, tenant, project, standing(), Optional.empty(), correlationId);
  }

  /**
   * What it proves by who it is.
   *
   * @param algorithm empty: a secret
   */
  public record AccountKey(
      String keyId,
      UUID account,
      Optional<SigningAlgorithm> algorithm,
      Optional<byte[]> publicKey,
      Optional<byte[]> secretHash,
      Instant madeAt,
      Optional<Instant> expiresAt,
      Optional<Instant> revokedAt,
      Optional<Instant> lastUsedAt) {

    /** True when it proves anything. */
    public boolean isValid(Instant now) {
      return revokedAt.isEmpty() && expiresAt.map(now::isBefore).orElse(true);
    }

    @Override
    public String toString() {
      return "Key[" + keyId + "]";
    }
  }
}
