package gpuaas.queue;

import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.NodeStore;
import gpuaas.capacity.NodeStore.Claim;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.queue.Line.Start;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * The lines of all GPU models. One look places as many as fit, in one transaction, and wakes them
 * alone; who waits is not asked again and again.
 */
public final class Queue {

  private static final int PAGE = 256;
  private static final int PAGES_MOST = 40;
  private static final Duration FORGOTTEN_AFTER = Duration.ofSeconds(3);

  private final Database database;
  private final Set<String> connected;
  private final QueueRules rules;
  private final BiConsumer<Tx, UUID> wake;
  private final Turnstile<Look> turnstile = new Turnstile<>();

  /**
   * @param connected providers that can hold gangs
   * @param wake makes a lease due, in the transaction
   */
  public Queue(
      Database database, Set<String> connected, QueueRules rules, BiConsumer<Tx, UUID> wake) {
    this.database = database;
    this.connected = Set.copyOf(connected);
    this.rules = rules;
    this.wake = wake;
  }

  /**
   * What a look found.
   *
   * @param placed how many begin
   * @param reclaimable whether there are spot leases that could be taken back
   */
  public record Look(int placed, boolean reclaimable) {}

  /**
   * Places whom it can; when this returns, everybody who waited before it was called has been
   * looked at.
   *
   * @throws gpuaas.db.Duplicate when somebody took a GPU against the rules of turn
   */
  public Look look(String gpuModel, Instant now) {
    return turnstile.look(
        gpuModel, () -> database.tx(tx -> look(tx, gpuModel, Optional.empty(), now)));
  }

  /** The same for somebody who asks himself, and is placed though he was declined before. */
  public Look look(String gpuModel, UUID asking, Instant now) {
    return database.tx(tx -> look(tx, gpuModel, Optional.of(asking), now));
  }

  private Look look(Tx tx, String gpuModel, Optional<UUID> asking, Instant now) {
    NodeStore.lockPlacing(tx);
    boolean reclaimable = QueueStore.isAnyReclaimable(tx, gpuModel);
    if (!QueueStore.isAnyFree(tx, gpuModel)) {
      return new Look(0, reclaimable);
    }
    List<Start> starts = waiting(tx, line(tx, gpuModel, asking, now).starts());
    NodeStore.claim(tx, starts.stream().map(Queue::claim).toList());
    QueueStore.grant(tx, starts, now);
    starts.forEach(start -> wake.accept(tx, start.waiter().id()));
    if (!starts.isEmpty()) {
      wakeFirst(tx, gpuModel); // what became free during this look is seen by the next
    }
    return new Look(starts.size(), reclaimable);
  }

  private Line line(Tx tx, String gpuModel, Optional<UUID> asking, Instant now) {
    Line line =
        new Line(
            new FreeIndex(List.of()),
            () -> QueueStore.releases(tx, gpuModel, now),
            connected,
            rules,
            now,
            asking);
    Set<Want> known = new HashSet<>();
    Optional<QueueStore.Position> after = Optional.empty();
    for (int page = 0; page < PAGES_MOST; page++) {
      List<Waiter> next = QueueStore.line(tx, gpuModel, after, now, PAGE);
      List<Want> fresh = next.stream().map(Waiter::want).distinct().filter(known::add).toList();
      if (!fresh.isEmpty()) {
        line.add(RoomStore.suiting(tx, fresh.subList(1, fresh.size()), fresh.getFirst()));
      }
      line.serve(next);
      if (next.size() < PAGE || line.isEmpty() || line.isOver()) {
        return line;
      }
      after = Optional.of(QueueStore.Position.of(next.getLast()));
    }
    return line;
  }

  /** Without those who do not wait any more, and without gangs of which anybody does not. */
  private static List<Start> waiting(Tx tx, List<Start> starts) {
    if (starts.isEmpty()) {
      return starts;
    }
    Set<UUID> still =
        QueueStore.lockWaiting(tx, starts.stream().map(start -> start.waiter().id()).toList());
    Set<String> broken =
        starts.stream()
            .filter(start -> !still.contains(start.waiter().id()))
            .flatMap(start -> start.waiter().gang().stream())
            .map(gang -> gang.name())
            .collect(Collectors.toSet());
    return starts.stream()
        .filter(start -> still.contains(start.waiter().id()))
        .filter(
            start -> start.waiter().gang().map(gang -> !broken.contains(gang.name())).orElse(true))
        .toList();
  }

  private static Claim claim(Start start) {
    return new Claim(
        start.waiter().id(),
        start.choice().room().offer().provider(),
        start.choice().room().node(),
        start.choice().gpuIds());
  }

  /** GPUs of this model became free: the first in the line looks for all. */
  public void wakeFirst(Tx tx, String gpuModel) {
    QueueStore.first(tx, gpuModel).ifPresent(first -> wake.accept(tx, first));
  }

  /**
   * What nobody told us of: machines that came, GPUs that another server gave back, and leases that
   * were granted something and have not heard. To be called again and again.
   */
  public void lookAround(Instant now) {
    database.run(tx -> {
      QueueStore.firsts(tx).forEach(first -> wake.accept(tx, first));
      QueueStore.forgotten(tx, now.minus(FORGOTTEN_AFTER)).forEach(it -> wake.accept(tx, it));
    });
  }
}
