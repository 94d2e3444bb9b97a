package gpuaas.lease;

import gpuaas.archive.TestArchives;
import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.capacity.Reclaim;
import gpuaas.catalog.Want;
import gpuaas.command.TestCommands;
import gpuaas.disk.TestDisks;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.ProviderException;
import gpuaas.spi.Tier;
import gpuaas.work.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.NullMarked;

/**
 * The life of some leases under one seed: the real life, steps and sweeper, over a simulated
 * provider, book and clock, with everything going wrong that can.
 */
@NullMarked
final class Simulation {

  private static final String DEPLOYMENT = "sim";
  private static final String PROVIDER = "market";
  private static final int WORKERS = 2;
  private static final Duration DEAD_AFTER = Duration.ofSeconds(30);
  private static final Duration SWEEP_EVERY = Duration.ofSeconds(60);
  private static final Duration CHAOS = Duration.ofMinutes(8);
  private static final Duration CALM = Duration.ofMinutes(8);

  private final Stage stage = new Stage();
  private final LeaseRules rules = LeaseRules.standard();
  private final Mutation mutation;
  private final Faults faults;
  private final Faults.Trace trace;
  private final SimProvider sim;
  private final FaultyProvider provider;
  private final SimulatedBook book;
  private final LeaseReconciler reconciler;
  private final OrphanSweeper sweeper;
  private final Invariants invariants;
  private final Map<UUID, Due> work = new HashMap<>();

  /** When to look at a lease, and until when somebody is at it. */
  private record Due(Instant at, Instant takenUntil) {}

  Simulation(long seed, Mutation mutation, Faults.Trace out) {
    SplittableRandom random = new SplittableRandom(seed);
    this.mutation = mutation;
    this.trace = what -> out.say(stage.instant() + " " + stage.current() + ": " + what);
    this.faults = new Faults(random, stage, trace);
    this.sim = new SimProvider(PROVIDER, stage, this::fate, 1, 4);
    this.provider = new FaultyProvider(sim, faults, stage);
    this.invariants = new Invariants(sim);
    this.book =
        new SimulatedBook(
            sim, faults, stage, mutation, new Check(), id -> due(id, stage.instant()));
    Providers providers = new Providers(Map.of(PROVIDER, provider));
    this.reconciler =
        new LeaseReconciler(
            book,
            providers,
            this::prove,
            TestArchives.none(),
            TestDisks.none(),
            TestCommands.none(),
            DEPLOYMENT,
            stage,
            rules,
            _ -> Optional.empty());
    this.sweeper = new OrphanSweeper(book, providers, DEPLOYMENT);
  }

  /** Throws a {@link Violation} when a promise is broken. */
  void run() {
    Instant start = stage.instant();
    try {
      for (int i = 0; i < WORKERS; i++) {
        stage.enter("worker-" + i, this::work);
      }
      stage.enter("sweeper", this::sweep);
      int users = 2 + faults.below(4);
      for (int i = 0; i < users; i++) {
        UUID id = new UUID(0, i + 1);
        stage.enter("user-" + i, () -> use(id));
      }
      stage.play(start.plus(CHAOS), () -> invariants.check(book));
      faults.end();
      stage.enter("last-user", this::stopAll);
      stage.play(start.plus(CHAOS).plus(CALM), () -> invariants.check(book));
      invariants.checkNothingLeft(book);
    } finally {
      stage.close();
    }
  }

  private SimScript fate() {
    return new SimScript(
        faults.upTo(Duration.ofSeconds(30)),
        faults.upTo(Duration.ofSeconds(40)),
        faults.upTo(Duration.ofSeconds(20)),
        faults.chance(0.15) ? faults.upTo(Duration.ofMinutes(6)) : Duration.ZERO);
  }

  private Optional<Endpoint> prove(Lease lease, InstanceRef instance, Optional<Endpoint> ssh) {
    faults.moment("probe", Duration.ofSeconds(2));
    return faults.chance(0.2) ? Optional.empty() : ssh;
  }

  // --- actors ---

  private static final Caller USER =
      new Caller(
          new UUID(1, 1),
          "simulated",
          new UUID(1, 1),
          new UUID(1, 1),
          Standing.OWNER,
          Optional.empty(),
          "simulated");

  private void use(UUID id) {
    stage.pause(faults.upTo(Duration.ofMinutes(3)));
    Tier tier = faults.chance(0.5) ? Tier.SPOT : Tier.ON_DEMAND;
    Want want = new Want("", SimProvider.GPU.model(), 1 + faults.below(3), Optional.empty(), tier);
    Optional<Duration> term =
        faults.chance(0.3) ? Optional.of(faults.upTo(Duration.ofMinutes(4))) : Optional.empty();
    LeaseSpec.WhenFull whenFull =
        faults.chance(0.3) ? LeaseSpec.WhenFull.FAIL : LeaseSpec.WhenFull.QUEUE;
    LeaseSpec spec =
        new LeaseSpec(want, "", List.of(), Map.of(), term, whenFull, Duration.ZERO, Guards.NONE);
    book.add(Lease.requested(id, USER, spec, Optional.empty(), 2_000_000, stage.instant()));
    due(id, stage.instant());
    trace.say("requested " + want.gpuCount() + " GPUs " + tier + " as " + id);
    if (faults.chance(0.4)) {
      stage.pause(faults.upTo(Duration.ofMinutes(3)));
      restart(id);
    }
    if (faults.chance(0.7)) {
      stage.pause(faults.upTo(Duration.ofMinutes(5)));
      stop(id);
    }
  }

  private void restart(UUID id) {
    try {
      Lease lease = book.leases.get(id);
      if (lease != null && lease.state() instanceof LeaseState.Running) {
        trace.say("restart asked for " + id);
        if (book.write(
            lease.on(new LeaseSignal.RestartAsked("simulated"), stage.instant(), rules))) {
          due(id, stage.instant());
        }
      }
    } catch (Faults.Crash gone) {
      due(id, stage.instant());
    }
  }

  private void stopAll() {
    List.copyOf(book.leases.keySet()).forEach(this::stop);
  }

  /** What the service does: read, decide, write, and again when somebody was faster. */
  private void stop(UUID id) {
    try {
      Lease lease = book.leases.get(id);
      while (lease != null && !ending(lease)) {
        trace.say("stop asked for " + id);
        if (book.write(
            lease.on(new LeaseSignal.StopAsked(EndReason.ASKED), stage.instant(), rules))) {
          due(id, stage.instant());
        }
        lease = book.leases.get(id);
      }
    } catch (Faults.Crash gone) {
      due(id, stage.instant()); // the work was in the transaction, if that was written
    }
  }

  private static boolean ending(Lease lease) {
    return lease.state() instanceof LeaseState.Stopping || lease.state() instanceof Ended;
  }

  private void work() {
    while (true) {
      stage.pause(faults.upTo(Duration.ofSeconds(1)));
      Instant now = stage.instant();
      Optional<UUID> id = pick(now);
      if (id.isEmpty()) {
        continue;
      }
      Due taken = new Due(now, now.plus(DEAD_AFTER));
      work.put(id.get(), taken);
      try {
        switch (steps(id.get(), taken)) {
          case Next.Done _ -> work.put(id.get(), new Due(Instant.MAX, Instant.MIN));
          case Next.After(Duration pause) -> due(id.get(), stage.instant().plus(pause));
          case Next.GoOn _ -> throw new IllegalStateException("went on already");
        }
      } catch (ProviderException e) {
        due(id.get(), stage.instant().plusSeconds(2)); // as the loop does with any exception
      } catch (Faults.Crash e) {
        stage.pause(
            faults.upTo(Duration.ofSeconds(20))); // the lease stays taken until it counts as dead
      }
    }
  }

  /**
   * A due lease that nobody is at; now and then one that somebody is at, for pauses can outlive
   * that.
   */
  private Optional<UUID> pick(Instant now) {
    List<UUID> due =
        work.entrySet().stream()
            .filter(entry -> !entry.getValue().at().isAfter(now))
            .filter(entry -> !entry.getValue().takenUntil().isAfter(now) || faults.chance(0.02))
            .map(Map.Entry::getKey)
            .sorted()
            .toList();
    return due.isEmpty() ? Optional.empty() : Optional.of(due.get(faults.below(due.size())));
  }

  private void due(UUID id, Instant at) {
    work.put(id, new Due(at, Instant.MIN));
  }

  /** As long as they go on from what was written, and nobody woke it meanwhile. */
  private Next steps(UUID id, Due taken) {
    Next next = step(id);
    while (next instanceof Next.GoOn(Next.Step known)) {
      if (faults.chance(0.2)) {
        stage.pause(faults.upTo(Duration.ofSeconds(1)));
      }
      try {
        next = taken.equals(work.get(id)) ? known.take() : step(id);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return next;
  }

  private Next step(UUID id) {
    Lease lease = book.leases.get(id);
    if (lease != null && lease.state() instanceof Provisioning p) {
      if (mutation == Mutation.ASK_TWICE) {
        InstanceRef again = provider.create(request(lease, p));
        book.write(lease.on(new LeaseSignal.Created(p.attempt(), again), stage.instant(), rules));
        return Next.now();
      }
      if (mutation == Mutation.NO_TAG_SEARCH) {
        LeaseSignal never = new LeaseSignal.Declined(p.attempt(), LeaseSignal.Decline.NEVER_SEEN);
        book.write(lease.on(never, stage.instant(), rules));
        return Next.now();
      }
    }
    try {
      return reconciler.step(id);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static InstanceRequest request(Lease lease, Provisioning p) {
    OwnerTag tag = new OwnerTag(DEPLOYMENT, lease.id(), p.attempt());
    return new InstanceRequest(
        tag,
        p.place().offer(),
        p.place().node(),
        p.place().gpuIds(),
        "",
        List.of(),
        Map.of(),
        "sim");
  }

  private void sweep() {
    while (true) {
      stage.pause(SWEEP_EVERY);
      List<Owned> orphans = listed().stream().filter(this::isOrphan).toList();
      try {
        if (mutation == Mutation.SWEEP_BY_AGE) {
          sweepByAge();
        } else {
          OrphanSweeper.Swept swept = sweeper.sweep(PROVIDER);
          trace.say("swept " + swept);
          orphans = orphans.stream().filter(orphan -> !swept.left().contains(orphan)).toList();
        }
      } catch (ProviderException | Faults.Crash e) {
        continue;
      }
      for (Owned orphan : orphans) {
        boolean survived = sim.living().contains(orphan) && isOrphan(orphan);
        Invariants.require(!survived, "an orphan outlived a sweep: %s", orphan);
      }
    }
  }

  private void sweepByAge() {
    for (Owned owned : provider.list(DEPLOYMENT)) {
      if (owned.createdAt().plus(Duration.ofMinutes(5)).isBefore(stage.instant())) {
        provider.destroy(owned.instance());
      }
    }
  }

  private List<Owned> listed() {
    return sim.list(DEPLOYMENT);
  }

  private boolean isOrphan(Owned owned) {
    return !OrphanSweeper.isOwned(owned, Optional.ofNullable(book.leases.get(owned.tag().lease())));
  }

  /** What is looked at before it is written. */
  private final class Check implements SimulatedBook.WriteCheck {
    @Override
    public void before(Change change) {
      invariants.spot.before(change);
      checkWrite(change);
    }

    @Override
    public void taking(Lease waiting, List<Want> ahead, Reclaim.Answer answer) {
      invariants.spot.taking(book, waiting, ahead, answer);
      answer.take().forEach(holder -> trace.say("taken back for " + waiting.id() + ": " + holder));
    }
  }

  /** Nobody may say "never seen" who has not looked after the settling time. */
  private void checkWrite(Change change) {
    boolean neverSeen =
        change.events().stream()
            .anyMatch(event -> "never_seen".equals(event.details().get("reason")));
    if (neverSeen && change.before().state() instanceof Provisioning p) {
      Instant looked = provider.lastLookBy(stage.current());
      Invariants.require(
          !looked.isBefore(p.since().plus(rules.settle())),
          "given up without looking: %s",
          change.before());
    }
    trace.say(change.before().state().text() + " -> " + change.after().state());
  }
}
