package gpuaas.queue;

import gpuaas.capacity.Delay;
import gpuaas.capacity.FreeIndex;
import gpuaas.capacity.NodeStore;
import gpuaas.capacity.NodeStore.Claim;
import gpuaas.capacity.Reclaim;
import gpuaas.capacity.Room;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.queue.Line.Start;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * The lines of all GPU models. One look places as many as fit, in one transaction, and wakes them
 * alone; who waits is not asked again and again.
 */
public final class Queue {

  private static final int PAGE = 256;
  private static final int PAGES_MOST = 40;

  /** A line of so many is read afresh for each who asks about it. */
  private static final int SHORT_LINE = 50;

  private static final Duration FORGOTTEN_AFTER = Duration.ofSeconds(3);

  private final Database database;
  private final Set<String> connected;
  private final QueueRules rules;
  private final BiConsumer<Tx, UUID> wake;
  private final Map<String, Forecast> forecasts = new ConcurrentHashMap<>();
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
   * @param reclaimable whether there may be leases that could be taken back
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
    Shares shares = shares(tx, gpuModel);
    boolean reclaimable = shares.hasGuarantees() || QueueStore.isAnyReclaimable(tx, gpuModel);
    if (!QueueStore.isAnyFree(tx, gpuModel)) {
      return new Look(0, reclaimable);
    }
    List<Start> starts = waiting(tx, line(tx, gpuModel, shares, asking, now).starts());
    NodeStore.claim(tx, starts.stream().map(Queue::claim).toList());
    QueueStore.grant(tx, starts, now);
    starts.forEach(start -> wake.accept(tx, start.waiter().id()));
    if (!starts.isEmpty()) {
      wakeFirst(tx, gpuModel); // what became free during this look is seen by the next
    }
    return new Look(starts.size(), reclaimable);
  }

  private static Shares shares(Tx tx, String gpuModel) {
    List<Quota> quotas = QuotaStore.of(tx, gpuModel);
    return quotas.isEmpty() ? Shares.none() : new Shares(quotas, QuotaStore.uses(tx));
  }

  private Line line(Tx tx, String gpuModel, Shares shares, Optional<UUID> asking, Instant now) {
    Line line =
        new Line(
            new FreeIndex(List.of()),
            () -> QueueStore.releases(tx, gpuModel, now),
            shares,
            connected,
            rules,
            now,
            asking);
    Set<Want> known = new HashSet<>();
    Optional<UUID> after = Optional.empty();
    for (int page = 0; page < PAGES_MOST; page++) {
      List<Waiter> next = QueueStore.line(tx, gpuModel, after, now, PAGE);
      List<Want> fresh = next.stream().map(Waiter::want).distinct().filter(known::add).toList();
      if (!fresh.isEmpty()) {
        line.add(RoomStore.suiting(tx, fresh.subList(1, fresh.size()), fresh.getFirst()));
      }
      line.serve(next);
      if (next.size() < PAGE || line.isEmpty() || line.isOver()) {
        break;
      }
      after = Optional.of(next.getLast().id());
    }
    line.end();
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

  /**
   * Who makes room for somebody who wants what is sure to him, when nothing else is free: those who
   * hold more than is sure to them.
   */
  public Reclaim.Answer takeBack(
      Tx tx, UUID lease, String gpuModel, List<Room> rooms, Instant now) {
    Shares shares = shares(tx, gpuModel);
    List<Waiter> line =
        shares.hasGuarantees()
            ? QueueStore.line(tx, gpuModel, Optional.empty(), now, PAGE * PAGES_MOST)
            : List.of();
    List<Want> ahead = new ArrayList<>();
    for (Waiter waiter : line) {
      boolean sure = shares.isSure(List.of(waiter)) && shares.forbids(List.of(waiter)).isEmpty();
      if (waiter.id().equals(lease) && sure) {
        return Reclaim.decide(
            ahead,
            waiter.want(),
            rooms,
            QueueStore.leaving(tx, gpuModel),
            Shares.overShare(QuotaStore.of(tx, gpuModel), QuotaStore.candidates(tx, gpuModel)));
      }
      if (sure) {
        ahead.add(waiter.want());
        shares.took(waiter);
      }
    }
    return new Reclaim.Answer(List.of(), false);
  }

  /** GPUs of this model became free: the first in the line looks for all. */
  public void wakeFirst(Tx tx, String gpuModel) {
    QueueStore.first(tx, gpuModel).ifPresent(first -> wake.accept(tx, first));
  }

  /** Why a lease waits that stands in a line, as it looked at some time in the last second. */
  public Delay explain(Tx tx, UUID lease, String gpuModel, Instant now) {
    Optional<Forecast> known =
        Optional.ofNullable(forecasts.get(gpuModel)).filter(it -> isGoodFor(it, now));
    boolean fresh = known.isPresent();
    Forecast forecast = known.orElseGet(() -> forecast(tx, gpuModel, now));
    return forecast
        .explain(
            lease,
            waiter ->
                GangStore.members(tx, waiter.project(), List.of(waiter.gang().orElseThrow().name()))
                    .size(),
            rules)
        .orElseGet(() ->
            new Delay(
                1,
                QueueStore.isGranted(tx, lease) || fresh
                    ? "It is about to be placed."
                    : "It waits for its disk.",
                Optional.empty()));
  }

  private boolean isGoodFor(Forecast forecast, Instant now) {
    return forecast.line().size() > SHORT_LINE
        && forecast.now().plus(rules.lookEvery()).isAfter(now);
  }

  private Forecast forecast(Tx tx, String gpuModel, Instant now) {
    List<Waiter> line = QueueStore.line(tx, gpuModel, Optional.empty(), now, PAGE * PAGES_MOST);
    List<Want> wants = line.stream().map(Waiter::want).distinct().limit(PAGE).toList();
    Forecast forecast =
        new Forecast(
            now,
            line,
            wants.isEmpty()
                ? List.of()
                : RoomStore.suiting(tx, wants.subList(1, wants.size()), wants.getFirst()),
            QueueStore.releases(tx, gpuModel, now),
            RoomStore.availability(tx, gpuModel),
            shares(tx, gpuModel),
            connected);
    forecasts.put(gpuModel, forecast);
    return forecast;
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
