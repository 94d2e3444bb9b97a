package gpuaas.queue;

import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.FreeIndex.Slot;
import gpuaas.capacity.Placement.Choice;
import gpuaas.capacity.Room;
import gpuaas.queue.Horizon.Release;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Those who want GPUs of one model, served in turn: one pass from the first to the last. Who does
 * not fit waits, and from then on nobody behind gets anything by which he would begin later. Pure:
 * the same line, rooms and time give the same starts. Not for several threads.
 */
public final class Line {

  private final FreeIndex rooms;
  private final Supplier<List<Release>> releases;
  private final Set<String> connected;
  private final QueueRules rules;
  private final Instant now;
  private final Optional<UUID> asking;
  private final List<Start> starts = new ArrayList<>();
  private final List<Release> begun = new ArrayList<>();
  private final List<Head> heads = new ArrayList<>();
  private final Set<Slot> awaited = new HashSet<>();
  private final Map<GangKey, Map<Integer, Waiter>> gangs = new LinkedHashMap<>();
  private @Nullable Horizon horizon;
  private int looked;

  /** Whose turn has come, and what he gets. */
  public record Start(Waiter waiter, Choice choice) {}

  private record GangKey(UUID project, UUID person, String name) {}

  /**
   * @param releases when GPUs of our own machines are given back; asked only if somebody waits
   * @param connected providers that can hold gangs
   * @param asking who asks himself, and so is placed though he was declined before
   */
  Line(
      FreeIndex rooms,
      Supplier<List<Release>> releases,
      Set<String> connected,
      QueueRules rules,
      Instant now,
      Optional<UUID> asking) {
    this.rooms = rooms;
    this.releases = releases;
    this.connected = connected;
    this.rules = rules;
    this.now = now;
    this.asking = asking;
  }

  /** More rooms. */
  void add(Collection<Room> more) {
    rooms.add(more);
  }

  /** Those who come next, in their order. */
  public void serve(List<Waiter> next) {
    for (Waiter waiter : next) {
      if (isOver()) {
        return;
      }
      if (waiter.gang().isEmpty()) {
        serve(waiter);
      } else {
        gather(waiter).ifPresent(this::serveGang);
      }
    }
  }

  /** All whose turn has come. */
  public List<Start> starts() {
    return List.copyOf(starts);
  }

  /** When the first who waits begins at the soonest, as far as that is known. */
  public Optional<Instant> headStart() {
    return heads.isEmpty() ? Optional.empty() : heads.getFirst().start();
  }

  /** True when nobody who comes now gets anything. */
  public boolean isOver() {
    return looked >= rules.backfillMost();
  }

  /** True when all GPUs are given away. */
  boolean isEmpty() {
    return rooms.free() == 0;
  }

  private void serve(Waiter waiter) {
    looked += heads.isEmpty() ? 0 : 1;
    Predicate<Slot> allowed = slot -> waiter.affords(slot) && isLet(waiter, slot);
    Optional<Slot> slot = rooms.find(waiter.want(), allowed);
    if (slot.isPresent()) {
      take(waiter, slot.get());
    } else {
      await(List.of(waiter));
    }
  }

  private void take(Waiter waiter, Slot slot) {
    Choice choice = rooms.take(slot, waiter.want().gpuCount());
    waiter
        .holds()
        .ifPresent(holds -> {
          Release release = new Release(slot.machine(), waiter.want().gpuCount(), now.plus(holds));
          begun.add(release);
          if (horizon != null) {
            horizon.add(release);
          }
        });
    if (waiter.attempts() == 0 || asking.filter(waiter.id()::equals).isPresent()) {
      starts.add(new Start(waiter, choice));
    }
  }

  private boolean isLet(Waiter waiter, Slot slot) {
    for (Head head : heads) {
      if (!head.lets(slot, waiter.want().gpuCount(), surelyOver(waiter), horizon())) {
        return false;
      }
    }
    return true;
  }

  private Optional<Instant> surelyOver(Waiter waiter) {
    return waiter.holds().map(holds -> now.plus(holds).plus(rules.backfillMargin()));
  }

  /** They wait: what they could use is theirs first, unless somebody before them waits for it. */
  private void await(List<Waiter> members) {
    Set<Slot> usable = new HashSet<>();
    for (Waiter member : members) {
      rooms.slots(member.want()).stream()
          .filter(slot ->
              slot.room().offer().gpuCountMost() >= member.want().gpuCount()
                  && member.affords(slot)
                  && (members.size() == 1 || isConnected(slot)))
          .forEach(usable::add);
    }
    if (!awaited.containsAll(usable)) {
      heads.add(new Head(members, usable, horizon()));
      awaited.addAll(usable);
    }
  }

  private Horizon horizon() {
    Horizon known = horizon;
    if (known == null) {
      known = new Horizon(now, releases.get());
      begun.forEach(known::add);
      horizon = known;
    }
    return known;
  }

  // --- gangs ---

  /** All members, as soon as the last of them has come. */
  private Optional<List<Waiter>> gather(Waiter waiter) {
    var gang = waiter.gang().orElseThrow();
    GangKey key = new GangKey(waiter.project(), waiter.person(), gang.name());
    Map<Integer, Waiter> members = gangs.computeIfAbsent(key, _ -> new TreeMap<>());
    members.putIfAbsent(gang.index(), waiter);
    return members.size() == gang.size()
        ? Optional.of(List.copyOf(members.values()))
        : Optional.empty();
  }

  private void serveGang(List<Waiter> members) {
    looked += heads.isEmpty() ? 0 : 1;
    for (String provider : connected.stream().sorted().toList()) {
      Map<UUID, Slot> places = places(members, provider);
      if (places.size() == members.size()) {
        members.forEach(member -> take(member, slot(places, member)));
        return;
      }
    }
    await(members);
  }

  private static Slot slot(Map<UUID, Slot> places, Waiter member) {
    return Optional.ofNullable(places.get(member.id())).orElseThrow();
  }

  /** A place for each, the largest first, and no two on a machine as long as there are others. */
  private Map<UUID, Slot> places(List<Waiter> members, String provider) {
    Map<UUID, Slot> places = new HashMap<>();
    Map<Slot, Integer> taken = new HashMap<>();
    List<Waiter> largestFirst =
        members.stream()
            .sorted(Comparator.comparingInt((Waiter member) -> -member.want().gpuCount()))
            .toList();
    for (Waiter member : largestFirst) {
      int count = member.want().gpuCount();
      Predicate<Slot> allowed =
          slot ->
              slot.machine().provider().equals(provider)
                  && isConnected(slot)
                  && slot.free() - taken.getOrDefault(slot, 0) >= count
                  && heads.stream().allMatch(head -> isLetWithOthers(head, member, slot));
      Optional<Slot> slot =
          rooms
              .find(member.want(), allowed.and(one -> !taken.containsKey(one)))
              .or(() -> rooms.find(member.want(), allowed));
      if (slot.isEmpty()) {
        return Map.of();
      }
      places.put(member.id(), slot.get());
      taken.merge(slot.get(), count, Integer::sum);
    }
    return places;
  }

  /** Several take at once: what would be left for the head is not reckoned, only the time. */
  private boolean isLetWithOthers(Head head, Waiter member, Slot slot) {
    return !head.usable().contains(slot)
        || (head.start().isPresent()
            && surelyOver(member).filter(end -> !end.isAfter(head.start().get())).isPresent());
  }

  private boolean isConnected(Slot slot) {
    return !slot.room().node().isEmpty() && connected.contains(slot.machine().provider());
  }
}
