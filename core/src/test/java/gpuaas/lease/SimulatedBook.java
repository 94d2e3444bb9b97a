package gpuaas.lease;

import gpuaas.capacity.Placement;
import gpuaas.capacity.Room;
import gpuaas.catalog.Want;
import gpuaas.events.Event;
import gpuaas.ledger.Evidence;
import gpuaas.ledger.Usage;
import gpuaas.sim.SimProvider;
import gpuaas.spi.HasNodes;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
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

  /** Sees every change just before it is written. */
  @FunctionalInterface
  interface WriteCheck {
    void before(Change change);
  }

  SimulatedBook(
      SimProvider provider, Faults faults, Stage stage, Mutation mutation, WriteCheck check) {
    this.provider = provider;
    this.faults = faults;
    this.stage = stage;
    this.mutation = mutation;
    this.ledger = new SimulatedLedger(mutation);
    this.check = check;
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
    List<Want> ahead =
        leases.values().stream()
            .filter(lease -> lease.state() instanceof LeaseState.Waiting)
            .takeWhile(lease -> !lease.id().equals(waiting.id()))
            .map(lease -> lease.spec().want())
            .toList();
    Optional<Placement.Choice> choice =
        Placement.chooseInTurn(ahead, waiting.spec().want(), rooms());
    if (choice.isEmpty()) {
      return new Turn.Full(false);
    }
    Offer offer = choice.get().room().offer().withGpuCount(waiting.spec().want().gpuCount());
    Place place = new Place(offer, choice.get().room().node(), choice.get().gpuIds());
    Change change = waiting.on(new LeaseSignal.Placed(place), now, LeaseRules.standard());
    boolean written = commit(change);
    faults.moment("after place", QUERY);
    return written ? new Turn.Taken(change.after()) : new Turn.MovedOn();
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
    boolean stale = leases.get(id) == null || leases.get(id).version() != change.before().version();
    if (stale && mutation != Mutation.NO_VERSION_GUARD) {
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

  private List<Room> rooms() {
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
  public List<String> authorizedKeys(Lease lease) {
    return List.of();
  }
}
