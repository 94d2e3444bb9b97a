package gpuaas.events;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/**
 * Something that became true of a lease.
 *
 * @param sequence the lease's version at that moment: events of a lease are told in this order
 * @param details small facts by name; never a secret
 */
public record Event(
    UUID id,
    Type type,
    UUID lease,
    UUID project,
    long sequence,
    Instant at,
    String correlationId,
    Map<String, String> details) {

  public Event {
    details = Map.copyOf(details);
  }

  /** What can happen to a lease. */
  public enum Type {
    LEASE_REQUESTED,
    LEASE_PLACED,
    LEASE_DECLINED,
    LEASE_BOOTING,
    LEASE_RUNNING,
    /** A spot lease is about to be taken back. */
    LEASE_RECLAIMING,
    /** What pays for it will not last long. */
    LEASE_FUNDS_LOW,
    /** Much of a budget is used up; told once, by the lease that used it last. */
    LEASE_BUDGET_WARNING,
    /** A budget is used up; told once, by the lease that used it last. */
    LEASE_BUDGET_EXCEEDED,
    /** Its end time is another one now. */
    LEASE_EXTENDED,
    /** Its end time is near. */
    LEASE_ENDING_SOON,
    /** Nobody uses it, and it is stopped soon unless somebody does. */
    LEASE_IDLE_WARNING,
    /** It is to be stopped when nobody uses it, and that cannot be known. */
    LEASE_IDLE_UNKNOWN,
    /** The files of its home folder are kept for the next one of the same name. */
    LEASE_FILES_KEPT,
    /** They were to be kept, and could not be. */
    LEASE_FILES_LOST,
    /** Its disk is nearly full; told again each time that it passes a threshold. */
    LEASE_DISK_FILLING,
    /** Processes of it were ended because it had no memory left. */
    LEASE_OUT_OF_MEMORY,
    /** GPUs of it do not work: its time is not charged until they do. */
    LEASE_GPU_LOST,
    /** They all work again. */
    LEASE_GPU_BACK,
    /** Its environment does not come up, for a reason that is told. */
    LEASE_FAILING,
    /** Its environment is started anew, with the same files and GPUs; not charged until it runs. */
    LEASE_RESTARTING,
    LEASE_STOPPING,
    /** Its end takes longer than it may: its provider does not confirm that nothing is left. */
    LEASE_STOP_STUCK,
    /** Somebody asked to try that anew. */
    LEASE_STOP_RETRIED,
    LEASE_ENDED,
    LEASE_DISMISSED;

    /** True when the lease went on by it; false for a warning, which changes nothing. */
    public boolean isTurn() {
      return switch (this) {
        case LEASE_REQUESTED,
            LEASE_PLACED,
            LEASE_DECLINED,
            LEASE_BOOTING,
            LEASE_RUNNING,
            LEASE_RESTARTING,
            LEASE_STOPPING,
            LEASE_ENDED,
            LEASE_DISMISSED ->
            true;
        case LEASE_RECLAIMING,
            LEASE_FUNDS_LOW,
            LEASE_BUDGET_WARNING,
            LEASE_BUDGET_EXCEEDED,
            LEASE_EXTENDED,
            LEASE_ENDING_SOON,
            LEASE_IDLE_WARNING,
            LEASE_IDLE_UNKNOWN,
            LEASE_FILES_KEPT,
            LEASE_FILES_LOST,
            LEASE_DISK_FILLING,
            LEASE_OUT_OF_MEMORY,
            LEASE_GPU_LOST,
            LEASE_GPU_BACK,
            LEASE_FAILING,
            LEASE_STOP_STUCK,
            LEASE_STOP_RETRIED ->
            false;
      };
    }

    /** The name outside: {@code lease.running}. */
    public String text() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '.');
    }
  }

  /** The id of a lease's event with this number. */
  public static UUID idOf(UUID lease, long sequence) {
    return UUID.nameUUIDFromBytes((lease + "/" + sequence).getBytes(StandardCharsets.UTF_8));
  }

  /** The id that the world knows: {@code evt_…}. */
  public String outsideId() {
    return outsideId(id);
  }

  /** An id as the world knows ids of events. */
  static String outsideId(UUID id) {
    return "evt_" + id.toString().replace("-", "");
  }

  /**
   * An event whose id follows from lease and sequence, so that telling it again is telling the
   * same.
   */
  public static Event of(
      Type type,
      UUID lease,
      UUID project,
      long sequence,
      Instant at,
      String correlationId,
      Map<String, String> details) {
    return new Event(
        idOf(lease, sequence), type, lease, project, sequence, at, correlationId, details);
  }
}
