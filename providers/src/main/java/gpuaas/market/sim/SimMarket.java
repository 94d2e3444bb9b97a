package gpuaas.market.sim;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a simulated market has, what it has rented out, and what that has cost so far. */
public final class SimMarket implements AutoCloseable {

  private static final int RENTALS_MOST = 10_000;

  /** A port where nobody listens. */
  private static final int NOBODY = 1;

  private final InstantSource clock;
  private final SimRules rules;
  private final Path folder;
  private final String user;
  private final Map<Long, SimOffer> offers = new LinkedHashMap<>();
  private final Set<Long> taken = new HashSet<>();
  private final Map<String, SimRental> rentals = new LinkedHashMap<>();
  private final Map<String, List<SimMachine.Key>> keys = new HashMap<>();
  private final Map<String, SimMachine> machines = new HashMap<>();
  private int pricePercent = 100;
  private Duration listedAfter;
  private Duration unknownFor = Duration.ZERO;
  private SimFate nextFate = SimFate.FINE;
  private boolean vanishing;
  private volatile boolean healthy = true;
  private final LongAdder logins = new LongAdder();

  /**
   * @param folder where rented machines have their files
   * @param user who may log in to them
   */
  public SimMarket(
      InstantSource clock, SimRules rules, Path folder, String user, List<SimOffer> offers) {
    this.clock = clock;
    this.rules = rules;
    this.folder = folder;
    this.user = user;
    this.listedAfter = rules.listedAfter();
    offers.forEach(offer -> this.offers.put(offer.number(), offer));
  }

  /** How long things take. */
  public SimRules rules() {
    return rules;
  }

  /** The time here. */
  public Instant now() {
    return clock.instant();
  }

  /** What can be rented now, at the prices of now. */
  public synchronized List<SimOffer> offers() {
    return offers.values().stream()
        .filter(offer -> !taken.contains(offer.number()))
        .map(offer -> offer.with(0, pricePercent))
        .toList();
  }

  /**
   * Rents a machine; empty: somebody else has it.
   *
   * @param extraMicrosPerHour for what is paid beside the offer, such as processors
   */
  public synchronized Optional<SimRental> rent(
      long offer,
      String id,
      String label,
      long diskGb,
      Map<String, String> details,
      SimSetup setup,
      long extraMicrosPerHour) {
    if (vanishing) {
      taken.add(offer);
    }
    SimOffer found = offers.get(offer);
    if (found == null || rentals.size() >= RENTALS_MOST || !taken.add(offer)) {
      return Optional.empty();
    }
    Instant now = clock.instant();
    SimRental made =
        new SimRental(
            id,
            found.with(extraMicrosPerHour, pricePercent),
            label,
            diskGb,
            details,
            setup,
            nextFate,
            now,
            now.plus(rules.runningAfter()),
            Optional.empty(),
            Optional.empty());
    nextFate = SimFate.FINE;
    rentals.put(id, made);
    return Optional.of(made);
  }

  /** Lets a public key in to a machine, some time from now; false: there is no such machine. */
  public synchronized boolean attach(String id, String publicKey) {
    SimRental rental = rentals.get(id);
    if (rental == null || rental.endedAt().isPresent() || isUnknown(rental)) {
      return false;
    }
    Instant now = clock.instant();
    Instant from = now.isBefore(rental.runsFrom()) ? rental.runsFrom() : now;
    keys.computeIfAbsent(id, _ -> new ArrayList<>())
        .add(new SimMachine.Key(publicKey, from.plus(rules.keyAfter())));
    return true;
  }

  /** A machine that is there. */
  public synchronized Optional<SimRental> find(String id) {
    return Optional.ofNullable(rentals.get(id))
        .filter(rental -> rental.endedAt().isEmpty() && !isUnknown(rental));
  }

  private boolean isUnknown(SimRental rental) {
    return clock.instant().isBefore(rental.madeAt().plus(unknownFor));
  }

  /** What the list shows: late to show, and late to forget. */
  public synchronized List<SimRental> listed() {
    Instant now = clock.instant();
    return rentals.values().stream()
        .filter(rental -> !now.isBefore(rental.madeAt().plus(listedAfter)) && !isUnknown(rental))
        .filter(rental ->
            rental.endedAt().map(at -> now.isBefore(at.plus(rules.delistedAfter()))).orElse(true))
        .toList();
  }

  /** Where a machine answers SSH; empty: not yet, or not any more. */
  public synchronized Optional<Integer> sshPort(String id) {
    SimRental rental = rentals.get(id);
    if (rental == null || !rental.runs(clock.instant())) {
      return Optional.empty();
    }
    if (rental.fate() == SimFate.NEVER_ANSWERS) {
      return rental.setup().shell() ? Optional.of(NOBODY) : Optional.empty();
    }
    return machine(rental).port();
  }

  /** Where the open ports of a machine are, beside SSH; none for one that does not run. */
  public synchronized Map<Integer, Integer> openPorts(String id) {
    SimRental rental = rentals.get(id);
    if (rental == null || !rental.runs(clock.instant())) {
      return Map.of();
    }
    if (rental.fate() == SimFate.NEVER_ANSWERS) {
      return rental.setup().ports().stream()
          .distinct()
          .collect(Collectors.toMap(port -> port, _ -> NOBODY));
    }
    return machine(rental).openPorts();
  }

  private SimMachine machine(SimRental rental) {
    String id = rental.id();
    return machines.computeIfAbsent(
        id,
        _ ->
            SimMachine.start(
                folder.resolve(id),
                user,
                rental.setup(),
                () -> allowed(id),
                () -> healthy,
                logins,
                clock));
  }

  /** How often somebody has logged in to a machine. */
  public long logins() {
    return logins.sum();
  }

  /** From now on what listens on open ports says that it is well, or that it is not. */
  public synchronized void healthy(boolean well) {
    healthy = well;
  }

  private synchronized List<SimMachine.Key> allowed(String id) {
    return List.copyOf(keys.getOrDefault(id, List.of()));
  }

  /** Ends a machine, and what it costs; false: there was none. */
  public synchronized boolean destroy(String id) {
    SimRental rental = rentals.get(id);
    if (rental == null || rental.endedAt().isPresent() || isUnknown(rental)) {
      return false;
    }
    rentals.put(id, rental.with(rental.stoppedAt(), Optional.of(clock.instant())));
    taken.remove(rental.offer().number());
    keys.remove(id);
    stop(machines.remove(id));
    return true;
  }

  private static void stop(@Nullable SimMachine machine) {
    if (machine != null) {
      machine.close();
    }
  }

  /** Stops every machine that there is; their disks cost on. */
  public synchronized void stopAll() {
    Instant now = clock.instant();
    rentals.replaceAll((_, rental) ->
        rental.endedAt().isPresent() || rental.stoppedAt().isPresent()
            ? rental
            : rental.with(Optional.of(now), Optional.empty()));
    machines.values().forEach(SimMachine::close);
    machines.clear();
  }

  /** Stops a machine, as a host does that fails; its disk costs on. */
  public synchronized void stop(String id) {
    SimRental rental = rentals.get(id);
    if (rental != null && rental.endedAt().isEmpty() && rental.stoppedAt().isEmpty()) {
      rentals.put(id, rental.with(Optional.of(clock.instant()), Optional.empty()));
      stop(machines.remove(id));
    }
  }

  /** Every machine that runs comes back as another one: at another port, with another host key. */
  public synchronized void replaceAll() {
    machines.values().forEach(SimMachine::close);
    machines.clear();
  }

  /** From now on everything costs so many percent of what it did at first. */
  public synchronized void pricePercent(int percent) {
    pricePercent = percent;
  }

  /** From now on what is rented shows in the list only after so long. */
  public synchronized void listedAfter(Duration late) {
    listedAfter = late;
  }

  /** From now on what is rented is not found at all at first, for so long, though it is there. */
  public synchronized void unknownFor(Duration time) {
    unknownFor = time;
  }

  /** What becomes of the next machine that is rented. */
  public synchronized void nextFate(SimFate fate) {
    nextFate = fate;
  }

  /** True: whatever is asked for, somebody else was quicker. */
  public synchronized void vanishing(boolean on) {
    if (vanishing && !on) {
      taken.clear();
      rentals.values().stream()
          .filter(rental -> rental.endedAt().isEmpty())
          .forEach(rental -> taken.add(rental.offer().number()));
    }
    vanishing = on;
  }

  /** All is as at first, but for what is rented. */
  public synchronized void calm() {
    pricePercent(100);
    listedAfter(rules.listedAfter());
    unknownFor(Duration.ZERO);
    nextFate(SimFate.FINE);
    vanishing(false);
    healthy(true);
  }

  /** The books: what each machine has cost until now. */
  public synchronized List<SimRental.Bill> ledger() {
    Instant now = clock.instant();
    return rentals.values().stream().map(rental -> rental.bill(now)).toList();
  }

  /** Everything that was ever rented. */
  public synchronized List<SimRental> rentals() {
    return List.copyOf(rentals.values());
  }

  @Override
  public synchronized void close() {
    machines.values().forEach(SimMachine::close);
    machines.clear();
  }
}
