package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.ledger.Usage;
import gpuaas.sim.SimProvider;
import gpuaas.spi.Owned;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/** What must hold after every event. */
@NullMarked
final class Invariants {

  private final SimProvider provider;
  private final Map<UUID, Instant> meteredTo = new HashMap<>();
  private final Map<UUID, Instant> runningSince = new HashMap<>();
  private final Map<UUID, Instant> restartedAt = new HashMap<>();
  private final Map<UUID, Long> sequences = new HashMap<>();
  private final Set<UUID> ended = new HashSet<>();
  private final MoneyInvariants money = new MoneyInvariants();
  final SpotInvariants spot;
  private int eventsSeen;
  private int usageSeen;

  Invariants(SimProvider provider) {
    this.provider = provider;
    this.spot = new SpotInvariants(provider);
  }

  void check(SimulatedBook book) {
    noGpuHasTwoHolders(book);
    noLeaseHasTwoOwnInstances(book);
    eventsHaveNoGapAndOneEnd(book);
    eachRunningSecondOnce(book);
    money.check(book);
    spot.check(book);
  }

  private static void noGpuHasTwoHolders(SimulatedBook book) {
    Map<String, UUID> holders = new HashMap<>();
    for (Lease lease : book.leases.values()) {
      for (String gpu : gpus(lease.state())) {
        UUID other = holders.put(gpu, lease.id());
        require(other == null, "GPU %s is held by %s and %s", gpu, other, lease.id());
        require(
            lease.id().equals(book.claims.get(gpu)),
            "GPU %s is used by %s without a claim",
            gpu,
            lease.id());
      }
    }
  }

  private static List<String> gpus(LeaseState state) {
    return switch (state) {
      case Provisioning p -> p.place().gpuIds();
      case Booting b -> b.place().gpuIds();
      case Running r -> r.place().gpuIds();
      case LeaseState.Waiting _, Stopping _, Ended _ -> List.of();
    };
  }

  private void noLeaseHasTwoOwnInstances(SimulatedBook book) {
    Map<UUID, Owned> own = new HashMap<>();
    for (Owned living : provider.living()) {
      Optional<Lease> lease = Optional.ofNullable(book.leases.get(living.tag().lease()));
      boolean stopping = lease.isPresent() && lease.get().state() instanceof Stopping;
      if (!stopping && OrphanSweeper.isOwned(living, lease)) {
        Owned other = own.put(living.tag().lease(), living);
        require(other == null, "two instances for one lease: %s and %s", other, living);
      }
    }
  }

  private void eventsHaveNoGapAndOneEnd(SimulatedBook book) {
    for (Event event : book.events.subList(eventsSeen, book.events.size())) {
      long last = sequences.getOrDefault(event.lease(), -1L);
      require(event.sequence() > last, "event %s comes after %d", event, last);
      require(!ended.contains(event.lease()), "after its end: %s", event);
      sequences.put(event.lease(), event.sequence());
      if (event.type() == Event.Type.LEASE_RUNNING) {
        runningSince.put(event.lease(), event.at());
        meteredTo.put(event.lease(), event.at());
      }
      if (event.type() == Event.Type.LEASE_RESTARTING) {
        restartedAt.put(event.lease(), event.at());
      }
      if (event.type() == Event.Type.LEASE_ENDED) {
        ended.add(event.lease());
      }
    }
    eventsSeen = book.events.size();
  }

  /**
   * Usage starts where the last ended, first at the moment it ran, and stops at the wish to stop.
   */
  private void eachRunningSecondOnce(SimulatedBook book) {
    for (Usage usage : book.usage.subList(usageSeen, book.usage.size())) {
      Instant expected = meteredTo.get(usage.lease());
      require(expected != null, "charged without having run: %s", usage);
      require(
          usage.from().equals(expected),
          "charged from %s, but %s was written: %s",
          usage.from(),
          expected,
          usage);
      meteredTo.put(usage.lease(), usage.to());
    }
    usageSeen = book.usage.size();
    restartedAt.forEach((lease, at) -> {
      Instant until = meteredTo.remove(lease); // nothing more before it answers again
      require(at.equals(until), "restarted at %s, charged to %s: %s", at, until, lease);
    });
    restartedAt.clear();
    for (Lease lease : book.leases.values()) {
      switch (lease.state()) {
        case Running r ->
            require(
                r.meteredTo().equals(meteredTo.get(lease.id())),
                "metered to %s on paper only: %s",
                r.meteredTo(),
                lease);
        case Stopping s -> checkCharge(lease, s.why(), s.since());
        default -> {}
      }
    }
  }

  private void checkCharge(Lease lease, EndReason why, Instant stoppedAt) {
    Instant until = meteredTo.get(lease.id());
    if (until == null) {
      return;
    }
    boolean vanished = why == EndReason.RECLAIMED && spot.hadVanished(lease.id());
    boolean exact = why != EndReason.LOST && !vanished;
    require(
        exact ? until.equals(stoppedAt) : !until.isAfter(stoppedAt),
        "ran from %s, stopped (%s) at %s, charged to %s",
        runningSince.get(lease.id()),
        why,
        stoppedAt,
        until);
  }

  /** At the end, when nothing goes wrong any more and everybody asked to stop. */
  void checkNothingLeft(SimulatedBook book) {
    for (Lease lease : book.leases.values()) {
      require(lease.state() instanceof Ended, "never ended: %s", lease);
    }
    require(provider.living().isEmpty(), "still living: %s", provider.living());
    require(book.claims.isEmpty(), "still claimed: %s", book.claims);
  }

  static void require(boolean holds, String message, @Nullable Object... arguments) {
    if (!holds) {
      throw new Violation(String.format(message, arguments), null);
    }
  }
}
