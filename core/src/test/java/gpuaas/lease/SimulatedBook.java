package gpuaas.lease;

import gpuaas.capacity.Placement;
import gpuaas.capacity.Reclaim;
import gpuaas.capacity.Room;
import gpuaas.catalog.Want;
import gpuaas.events.Event;
import gpuaas.lease.LeaseState.Place;
import gpuaas.ledger.Evidence;
import gpuaas.ledger.Usage;
import gpuaas.sim.SimProvider;
import gpuaas.spi.HasNodes;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;

/**
 * The leases in memory, with the promises of the database: atomic, guarded by version, a GPU held
 * once.
 */
@NullMarked
final class SimulatedBook implements LeaseBook {

  private static final Duration QUERY = Duration.ofMillis(100);

  final Map<UUID, Lease> leases = new LinkedHashMap<>();
  final Map<String, UUID> claims = new HashMap<>();
  final List<Event> events = new ArrayList<>();
  final List<Usage> usage = new ArrayList<>();
  final SimulatedLedger ledger;

  private final SimProvider provider;
  private final Faults faults;
  private final Stage stage;
  private final Mutation mutation;
  private final WriteCheck check;
  private final Consumer<UUID> due;

  /** Sees every change just before it is written, and every decision to make room. */
  interface WriteCheck {
    void before(Change change);

    void taking(Lease waiting, List<Want> ahead, Reclaim.Answer answer);
  }

  SimulatedBook(
      SimProvider provider,
      Faults faults,
      Stage stage,
      Mutation mutation,
      WriteCheck check,
      Consumer<UUID> due) {
    this.provider = provider;
    this.faults = faults;
    this.stage = stage;
    this.mutation = mutation;
    this.ledger = new SimulatedLedger(mutation);
    this.check = check;
    this.due = due;
  }

  /** A new lease, as the service would write it. */
  void add(Change requested) {
    leases.put(requested.after().id(), requested.after());
    events.addAll(requested.events());
    ledger.hold(requested.after(), stage.instant());
  }

  @Override
  public Optional<Lease> find(UUID lease) {
    faults.moment("find", QUERY);
    return Optional.ofNullable(leases.get(lease));
  }

  @Override
  public Turn place(Lease waiting, Instant now) {
    faults.moment("before place", QUERY);
    List<Want> ahead = ahead(waiting);
    Optional<Placement.Choice> choice =
        Placement.chooseInTurn(ahead, waiting.spec().want(), rooms());
    if (choice.isEmpty()) {
      boolean moved =
          isStale(waiting) && mutation != Mutation.RECLAIM_FOR_NOBODY; // as the row's lock shows
      boolean makingRoom = !moved && makeRoom(waiting, ahead, now);
      faults.moment("after place", QUERY);
      return moved ? new Turn.MovedOn() : new Turn.Full(makingRoom);
    }
    Offer offer = choice.get().room().offer().withGpuCount(waiting.spec().want().gpuCount());
    Place place = new Place(offer, choice.get().room().node(), choice.get().gpuIds());
    Change change = waiting.on(new LeaseSignal.Placed(place), now, LeaseRules.standard());
    boolean written = commit(change);
    faults.moment("after place", QUERY);
    return written ? new Turn.Taken(change.after()) : new Turn.MovedOn();
  }

  /** Who came before; before a spot lease everybody who waits for firm ones. */
  private List<Want> ahead(Lease waiting) {
    boolean spot = isSpot(waiting);
    List<Lease> all = waiting();
    Stream<Lease> firm =
        (spot ? all.stream() : earlier(all, waiting)).filter(lease -> !isSpot(lease));
    Stream<Lease> earlierSpot =
        spot ? earlier(all, waiting).filter(SimulatedBook::isSpot) : Stream.empty();
    return Stream.concat(firm, earlierSpot).map(lease -> lease.spec().want()).toList();
  }

  private List<Lease> waiting() {
    return leases.values().stream()
        .filter(lease -> lease.state() instanceof LeaseState.Waiting)
        .toList();
  }

  private static Stream<Lease> earlier(List<Lease> all, Lease than) {
    return all.stream().takeWhile(lease -> !lease.id().equals(than.id()));
  }

  private boolean makeRoom(Lease waiting, List<Want> ahead, Instant now) {
    List<Reclaim.Holder> candidates = new ArrayList<>(holders(this::isReclaimable));
    if (mutation != Mutation.RECLAIM_OLDEST) {
      candidates = candidates.reversed();
    }
    Reclaim.Answer answer =
        Reclaim.decide(
            ahead, waiting.spec().want(), rooms(), holders(SimulatedBook::isLeaving), candidates);
    check.taking(waiting, ahead, answer);
    for (Reclaim.Holder holder : answer.take()) {
      Lease spot = leases.get(holder.lease());
      Instant at =
          mutation == Mutation.RECLAIM_WITHOUT_GRACE
              ? now
              : now.plus(LeaseRules.standard().spotGrace());
      LeaseSignal signal =
          mutation == Mutation.RECLAIM_UNTOLD
              ? new LeaseSignal.StopAsked(EndReason.RECLAIMED)
              : new LeaseSignal.ReclaimAsked(at);
      if (commit(spot.on(signal, now, LeaseRules.standard()))) {
        due.accept(spot.id());
      }
    }
    return answer.underWay();
  }

  static boolean isSpot(Lease lease) {
    return lease.spec().want().tier() == Tier.SPOT;
  }

  /** Its GPUs will be free without anybody doing anything. */
  static boolean isLeaving(Lease lease) {
    return lease.state() instanceof LeaseState.Stopping
        || (!lease.state().isOver() && lease.history().reclaimAt().isPresent());
  }

  private boolean isReclaimable(Lease lease) {
    return (isSpot(lease) || mutation == Mutation.RECLAIM_FIRM)
        && lease.history().reclaimAt().isEmpty()
        && switch (lease.state()) {
          case LeaseState.Provisioning _, LeaseState.Booting _, LeaseState.Running _ -> true;
          case LeaseState.Waiting _, LeaseState.Stopping _, LeaseState.Ended _ -> false;
        };
  }

  /** Oldest first. */
  List<Reclaim.Holder> holders(Predicate<Lease> which) {
    String node = provider.nodes().getFirst().name();
    return leases.values().stream()
        .filter(which)
        .map(lease ->
            new Reclaim.Holder(
                lease.id(),
                rooms().getFirst().offer().provider(),
                node,
                claims.entrySet().stream()
                    .filter(claim -> claim.getValue().equals(lease.id()))
                    .map(Map.Entry::getKey)
                    .sorted()
                    .toList()))
        .filter(holder -> !holder.gpuIds().isEmpty())
        .toList();
  }

  @Override
  public boolean write(Change change) {
    faults.moment("before write", QUERY);
    boolean written = commit(change);
    faults.moment("after write", QUERY);
    return written;
  }

  private boolean commit(Change change) {
    UUID id = change.after().id();
    if (isStale(change.before()) && mutation != Mutation.NO_VERSION_GUARD) {
      return false;
    }
    check.before(change);
    leases.put(id, change.after());
    events.addAll(change.events());
    usage.addAll(change.usage());
    ledger.follow(change, stage.instant());
    switch (change.after().state()) {
      case LeaseState.Provisioning p -> p.place().gpuIds().forEach(gpu -> claims.put(gpu, id));
      case LeaseState.Waiting _, LeaseState.Ended _ -> claims.values().removeIf(id::equals);
      default -> {}
    }
    if (mutation == Mutation.CHARGE_IN_STOPPING
        && change.before().state() instanceof LeaseState.Stopping s
        && s.since().isBefore(stage.instant())) {
      Evidence none = new Evidence(Evidence.Proof.INSPECTED, s.since(), "mutation");
      usage.add(new Usage(id, s.since(), s.since(), stage.instant(), 1, 1, none, none));
    }
    return true;
  }

  private boolean isStale(Lease read) {
    Lease now = leases.get(read.id());
    return now == null || now.version() != read.version();
  }

  List<Room> rooms() {
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    return provider.nodes().stream()
        .map(node ->
            new Room(
                offer,
                node.name(),
                node.gpus().stream()
                    .map(HasNodes.NodeGpu::id)
                    .filter(gpu -> !claims.containsKey(gpu))
                    .toList()))
        .toList();
  }

  @Override
  public boolean isKeptNow(Lease lease) {
    return false;
  }

  @Override
  public List<String> authorizedKeys(Lease lease) {
    return List.of();
  }
}
