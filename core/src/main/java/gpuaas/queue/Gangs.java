package gpuaas.queue;

import gpuaas.base.Caller;
import gpuaas.catalog.Gang;
import gpuaas.db.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Which gang a lease belongs to. Clients say a word that all members share, and may say it again
 * for the next gang; what we call a gang is used once.
 */
public final class Gangs {

  private Gangs() {}

  /**
   * A member, as others see it.
   *
   * @param shownId what its maker calls it; empty: its id
   * @param end why it is over; empty when it is not
   */
  public record Member(
      String gang, UUID id, Optional<String> shownId, int index, Optional<String> end) {}

  /**
   * The gang of a lease that is about to be asked for: the caller's newest that is called so, lacks
   * this member and has not begun; or a new one. Until the end of the transaction nobody else joins
   * one that the caller calls so.
   *
   * @param lease its id
   * @param label what all members say
   * @param within members that were asked for longer ago belong to another gang
   */
  public static Gang join(
      Tx tx,
      Caller caller,
      UUID lease,
      String label,
      int index,
      int size,
      Instant now,
      Duration within) {
    GangStore.lock(tx, caller.project(), caller.user(), label);
    String name =
        GangStore.open(tx, caller.project(), caller.user(), label, index, size, now.minus(within))
            .orElse(label + "/" + lease);
    return new Gang(name, index, size);
  }

  /** What all members of a gang say. */
  public static String label(Gang gang) {
    int end = gang.name().length() - GangStore.ID_LENGTH;
    return end > 0 ? gang.name().substring(0, end) : gang.name();
  }

  /** The members of these gangs of a project, by their number. */
  public static List<Member> members(Tx tx, UUID project, Collection<Gang> gangs) {
    return gangs.isEmpty()
        ? List.of()
        : GangStore.members(tx, project, gangs.stream().map(Gang::name).distinct().toList());
  }
}
