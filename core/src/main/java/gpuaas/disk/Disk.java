package gpuaas.disk;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A disk of somebody's.
 *
 * @param id also what its provider knows it by; its name is its owner's to change
 * @param sizeBytes what may be kept on it
 * @param usedBytes what was on it when somebody last looked
 * @param origin the snapshot that it began as
 * @param deletedAt when its owner gave it up; it can be had back until {@code deleteAt}
 * @param heldBy the lease whose home folder it is, or will be
 * @param snapshots how many there are
 * @param backingUp true: a snapshot is being made
 */
public record Disk(
    UUID id,
    UUID project,
    UUID person,
    String name,
    String provider,
    long sizeBytes,
    long usedBytes,
    Optional<UUID> origin,
    State state,
    Instant madeAt,
    Optional<Instant> lastUsedAt,
    Optional<Instant> deletedAt,
    Optional<Instant> deleteAt,
    Operation operation,
    Optional<UUID> heldBy,
    int snapshots,
    boolean backingUp) {

  /** Whether it is there. */
  public enum State {
    MAKING,
    READY,
    /** Its provider will not make it; the operation says why. */
    FAILED
  }

  /** True when its owner gave it up. */
  public boolean isDeleted() {
    return deletedAt.isPresent();
  }

  /** The last thing that was asked of a disk. */
  public record Operation(
      UUID id, Operation.Kind kind, Status status, String error, Instant askedAt, Instant toldAt) {

    /** What was asked. */
    public enum Kind {
      CREATE,
      DELETE,
      UNDELETE,
      SNAPSHOT,
      CLONE
    }

    /** How far it is. */
    public enum Status {
      QUEUED,
      COMPLETED,
      FAILED
    }
  }

  /**
   * What was on a disk at a moment.
   *
   * @param diskName what the disk is called
   * @param content a listing, for people
   */
  public record Snapshot(
      UUID id,
      UUID disk,
      String diskName,
      Snapshot.Kind kind,
      State state,
      long usedBytes,
      String content,
      Instant madeAt) {

    /** Why it was made. */
    public enum Kind {
      /** The lease that had it ended by itself. */
      SHUTDOWN,
      /** Somebody ended the lease that had it. */
      CANCELLATION,
      /** Somebody asked. */
      ASKED
    }
  }
}
