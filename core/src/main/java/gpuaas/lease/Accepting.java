package gpuaas.lease;

import gpuaas.access.SshKeys;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.capacity.Availability;
import gpuaas.capacity.Placement;
import gpuaas.capacity.Room;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.Gang;
import gpuaas.catalog.PriceStore;
import gpuaas.catalog.Want;
import gpuaas.db.Tx;
import gpuaas.queue.QueueRules;
import gpuaas.spi.Gpu;
import gpuaas.spi.InstanceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Whether a lease is accepted, and at which price. */
final class Accepting {

  private static final int HEADROOMS_MOST = 10_000;
  private static final Duration COUNT_HOLDS = Duration.ofSeconds(1);

  private final SshKeys sshKeys;
  private final InstantSource clock;
  private final int livingMostPerProject;
  private final QueueRules queue;
  private final Map<UUID, Headroom> headroom = new ConcurrentHashMap<>();

  Accepting(SshKeys sshKeys, InstantSource clock, int livingMostPerProject, QueueRules queue) {
    this.queue = queue;
    this.sshKeys = sshKeys;
    this.clock = clock;
    this.livingMostPerProject = livingMostPerProject;
  }

  /** What a GPU of it costs for an hour; refuses what cannot be. */
  long check(Tx tx, Caller caller, LeaseSpec spec) {
    refuseForeignKeys(tx, caller, spec);
    spec.gang().ifPresent(this::refuseLargeGang);
    if (spec.whenFull() == LeaseSpec.WhenFull.QUEUE) {
      refuseWhatNeverFits(tx, spec.want()); // it would wait for ever; what fails will say so itself
    }
    refuseTooMany(tx, caller.project());
    return price(tx, spec);
  }

  /**
   * What a GPU of it costs for an hour, from now until the lease ends, whatever becomes of prices.
   * This very offer of a market costs what it asks; other things what we have priced them at, and
   * what nobody priced what the cheapest provider asks; a place without GPUs nothing then.
   */
  private long price(Tx tx, LeaseSpec spec) {
    Want want = spec.want();
    long price =
        asked(tx, spec)
            .orElseGet(() ->
                tx.recall(
                        List.of("prices", want.gpuModel()),
                        own -> PriceStore.of(own, want.gpuModel()))
                    .find(want, clock.instant())
                    .or(() -> Placement.cheapest(want, rooms(tx, want)))
                    .or(() -> free(want))
                    .orElseThrow(() -> new Refused(new Refusal.UnknownGpu(want.gpuModel()))));
    long perHour = Math.multiplyExact(price, want.gpuCount());
    spec.guards()
        .maxPricePerHourMicros()
        .filter(most -> perHour > most)
        .ifPresent(most -> {
          throw new Refused(new Refusal.PriceTooHigh(perHour, most));
        });
    return price;
  }

  /**
   * What the market of the very offer that is wanted asks for a GPU of it, with its disk. Our own
   * machines cost what we have priced them at.
   */
  private static Optional<Long> asked(Tx tx, LeaseSpec spec) {
    Want want = spec.want();
    if (want.offer().isEmpty()) {
      return Optional.empty();
    }
    return rooms(tx, want).stream()
        .filter(room -> room.node().isEmpty())
        .map(room -> room.offer().withGpuCount(want.gpuCount()))
        .findFirst()
        .flatMap(offer -> offer.pricePerHour(spec.launch().diskGb()))
        .map(price -> Math.ceilDiv(price.micros(), want.gpuCount()))
        .filter(micros -> micros > 0);
  }

  /**
   * Counting is dear when there are many, so a count is used as long as it surely leaves room: for
   * a second, and for as many leases as were then below the limit.
   */
  private void refuseTooMany(Tx tx, UUID project) {
    Instant now = clock.instant();
    Headroom known = headroom.get(project);
    if (known != null && now.isBefore(known.until()) && known.left().getAndDecrement() > 0) {
      return;
    }
    int living =
        tx.recall(
            List.of("living", project),
            own -> LeaseListStore.countLiving(own, project, livingMostPerProject));
    int left = livingMostPerProject - living;
    if (left <= 0) {
      throw new Refused(new Refusal.TooMany(Kind.LEASE, livingMostPerProject));
    }
    if (headroom.size() > HEADROOMS_MOST) {
      headroom.clear();
    }
    headroom.put(project, new Headroom(new AtomicInteger(left - 1), now.plus(COUNT_HOLDS)));
  }

  /** How many leases a project may surely still have. */
  private record Headroom(AtomicInteger left, Instant until) {}

  private void refuseLargeGang(Gang gang) {
    if (gang.size() > queue.gangMost()) {
      throw new Refused(
          new Refusal.Invalid(
              List.of(
                  new FieldProblem("gang", "may have at most " + queue.gangMost() + " members"))));
    }
  }

  private void refuseForeignKeys(Tx tx, Caller caller, LeaseSpec spec) {
    List<UUID> missing = sshKeys.missing(tx, caller, spec.sshKeys());
    if (!missing.isEmpty()) {
      throw new Refused(
          new Refusal.Invalid(
              IntStream.range(0, spec.sshKeys().size())
                  .filter(i -> missing.contains(spec.sshKeys().get(i)))
                  .mapToObj(i ->
                      new FieldProblem(
                          "ssh_key_ids[" + i + "]",
                          "is not a key that opens machines of this project"))
                  .toList()));
    }
  }

  private static Optional<Long> free(Want want) {
    return Gpu.isCpuPlace(want.gpuModel()) ? Optional.of(0L) : Optional.empty();
  }

  private static String things(Want want) {
    return Gpu.isCpuPlace(want.gpuModel())
        ? "places without GPUs of the kind " + want.gpuModel()
        : want.gpuModel() + " GPUs";
  }

  private static List<Room> rooms(Tx tx, Want want) {
    return tx.recall(List.of("rooms", want), own -> RoomStore.suiting(own, want));
  }

  private static void refuseWhatNeverFits(Tx tx, Want want) {
    List<Room> rooms = rooms(tx, want);
    if (Placement.couldEverFit(want, rooms)) {
      return;
    }
    Availability there = RoomStore.availability(tx, want.gpuModel());
    String where = want.region().map(region -> " in " + region.code()).orElse("");
    String why =
        there.gpusTotal() == 0
            ? "no machine has " + things(want)
            : "no machine"
                + where
                + " has "
                + want.gpuCount()
                + " "
                + things(want)
                + "; the largest has "
                + there.largestEver();
    throw new Refused(new Refusal.NeverFits(want.sku(), why));
  }

  /** Refuses what cannot be started anew; a restart that is under way is none. */
  static void refuseRestart(Lease lease, Predicate<InstanceRef> restartable) {
    LeaseSpec spec = lease.spec();
    Optional<String> why =
        switch (lease.state()) {
          case LeaseState.Booting _ when lease.history().restarts() > 0 -> Optional.empty();
          case LeaseState.Running _ when spec.command().isPresent() || spec.gang().isPresent() ->
              Optional.of("running a command or in a gang, which is done once");
          case LeaseState.Running r when !restartable.test(r.instance()) ->
              Optional.of("at a provider that starts nothing again");
          case LeaseState.Running _ -> Optional.empty();
          default -> Optional.of(lease.state().text());
        };
    why.ifPresent(text -> {
      throw new Refused(
          new Refusal.WrongState(Kind.LEASE, lease.id().toString(), text, "running by itself"));
    });
  }
}
