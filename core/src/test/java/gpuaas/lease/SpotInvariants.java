package gpuaas.lease;

import static gpuaas.lease.Invariants.require;

import gpuaas.capacity.Reclaim;
import gpuaas.capacity.Reclaim.Holder;
import gpuaas.catalog.Want;
import gpuaas.events.Event;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.sim.SimProvider;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * What must hold of leases that are taken back: only spot, only for somebody who needs it, the
 * newest, as few as will do, told before, and left alone until the time they were told.
 *
 * <p>Counts GPUs of the one machine there is, and knows nothing of how the decision is made.
 */
@NullMarked
final class SpotInvariants {

  private final SimProvider provider;
  private final Map<UUID, Instant> deadlines = new HashMap<>();
  private final Set<UUID> ran = new HashSet<>();
  private final Set<UUID> vanished = new HashSet<>();
  private int eventsSeen;

  SpotInvariants(SimProvider provider) {
    this.provider = provider;
  }

  /** Before a change is written: whether what it ends was still there. */
  void before(Change change) {
    if (change.before().state() instanceof Running running
        && change.after().state() instanceof Stopping
        && provider.living().stream()
            .noneMatch(owned -> owned.instance().equals(running.instance()))) {
      vanished.add(change.after().id());
    }
  }

  /** True: its machine was gone before it was stopped, so that its bill may end before that. */
  boolean hadVanished(UUID lease) {
    return vanished.contains(lease);
  }

  /** Before leases are taken back. */
  void taking(SimulatedBook book, Lease read, List<Want> ahead, Reclaim.Answer answer) {
    if (answer.take().isEmpty()) {
      return;
    }
    Lease waiting = book.leases.get(read.id());
    require(
        waiting != null && waiting.state() instanceof Waiting && !SimulatedBook.isSpot(waiting),
        "taken back for nobody: %s, now %s",
        answer.take(),
        waiting);
    int need = read.spec().want().gpuCount() + ahead.stream().mapToInt(Want::gpuCount).sum();
    int free =
        book.rooms().getFirst().freeGpuIds().size() + gpus(book.holders(SimulatedBook::isLeaving));
    int taken = gpus(answer.take());
    require(free + taken >= need, "taken back in vain: %s of %d for %d", answer, free, need);
    for (Holder one : answer.take()) {
      int without = free + taken - one.gpuIds().size();
      require(without < need, "%s need not go: %d are there for %d", one, without, need);
      sparedNewerOnesWouldNotDo(book, answer.take(), one, need - without);
    }
  }

  private static void sparedNewerOnesWouldNotDo(
      SimulatedBook book, List<Holder> take, Holder one, int missing) {
    boolean newer = false;
    for (Lease lease : book.leases.values()) { // oldest first
      boolean spared = take.stream().noneMatch(holder -> holder.lease().equals(lease.id()));
      boolean could =
          SimulatedBook.isSpot(lease)
              && !SimulatedBook.isLeaving(lease)
              && book.claims.containsValue(lease.id());
      require(
          !(newer && spared && could && lease.spec().want().gpuCount() >= missing),
          "%s was spared, and the older %s taken back",
          lease,
          one);
      newer |= lease.id().equals(one.lease());
    }
  }

  private static int gpus(List<Holder> holders) {
    return holders.stream().mapToInt(holder -> holder.gpuIds().size()).sum();
  }

  /** After every move. */
  void check(SimulatedBook book) {
    for (Event event : book.events.subList(eventsSeen, book.events.size())) {
      Lease lease = book.leases.get(event.lease());
      switch (event.type()) {
        case LEASE_RUNNING -> ran.add(event.lease());
        case LEASE_RECLAIMING -> told(event, lease);
        case LEASE_STOPPING -> stopped(event);
        default -> {}
      }
      boolean reclaimed = "reclaimed".equals(event.details().get("reason"));
      require(
          !reclaimed || (lease != null && lease.spec().want().tier() == Tier.SPOT),
          "not a spot lease, and taken back: %s",
          event);
    }
    eventsSeen = book.events.size();
  }

  private void told(Event event, @Nullable Lease lease) {
    require(lease != null && SimulatedBook.isSpot(lease), "not a spot lease: %s", event);
    Instant at = Instant.parse(event.details().getOrDefault("at", ""));
    Instant least = event.at().plus(LeaseRules.standard().spotGrace());
    require(!at.isBefore(least), "its grace is too short: %s", event);
    require(deadlines.put(event.lease(), at) == null, "told twice: %s", event);
  }

  private void stopped(Event event) {
    boolean reclaimed = "reclaimed".equals(event.details().get("reason"));
    if (!reclaimed || !ran.contains(event.lease()) || vanished.contains(event.lease())) {
      return; // nobody was in it who would have to be told, or the market took it back
    }
    Instant deadline = deadlines.get(event.lease());
    require(deadline != null, "taken back without having been told: %s", event);
    require(!event.at().isBefore(deadline), "taken back before %s: %s", deadline, event);
  }
}
