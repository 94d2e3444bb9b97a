package gpuaas.ledger;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.ledger.Account.Kind;
import gpuaas.ledger.ReconciliationStore.Machine;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.market.HasCharges;
import gpuaas.spi.market.HasCharges.Charge;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Compares what markets charge for each machine and day with what its lease has cost by our ledger,
 * and posts the difference. Days are those of UTC, and have ended. A day that was compared before
 * is looked at again, and what changed is posted; doing it again, at two places at once or after a
 * crash posts nothing twice.
 */
public final class Reconciliation {

  private final Database database;
  private final Providers providers;
  private final InstantSource clock;
  private final LedgerRules ledger;
  private final ReconciliationRules rules;

  public Reconciliation(
      Database database,
      Providers providers,
      InstantSource clock,
      LedgerRules ledger,
      ReconciliationRules rules) {
    this.database = database;
    this.providers = providers;
    this.clock = clock;
    this.ledger = ledger;
    this.rules = rules;
  }

  /**
   * A day that could not be compared, and is tried again with the next look.
   *
   * @param why for people
   */
  public record Left(String provider, LocalDate day, String why) {}

  /** One look at every market that tells its charges; what it left undone. */
  public List<Left> look() {
    return providers.names().stream().flatMap(name -> look(name).stream()).toList();
  }

  private List<Left> look(String provider) {
    Optional<HasCharges> market = providers.ability(provider, HasCharges.class);
    if (market.isEmpty()) {
      return List.of();
    }
    LocalDate today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    List<LocalDate> days =
        database.read(tx -> ReconciliationStore.days(tx, provider, today, rules.daysBack()));
    List<Left> left = new ArrayList<>();
    for (LocalDate day : days) {
      compare(provider, market.get(), day).ifPresent(why -> left.add(new Left(provider, day, why)));
    }
    return left;
  }

  /** What a bill says, by machine; or why it cannot be believed. */
  private record Bill(Map<String, Long> micros, Optional<String> problem) {
    static Bill unusable(String why) {
      return new Bill(Map.of(), Optional.of(why));
    }
  }

  /** Why the day is left open, if it is. */
  private Optional<String> compare(String provider, HasCharges market, LocalDate day) {
    Instant from = day.atStartOfDay(ZoneOffset.UTC).toInstant();
    Instant until = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    Instant asked = clock.instant();
    Bill bill = ask(provider, market, from, until);
    return database.tx(tx -> {
      if (ReconciliationStore.lock(tx, provider, day).filter(asked::isBefore).isPresent()) {
        return Optional.empty(); // somebody has a younger answer
      }
      Map<String, Long> ours = ReconciliationStore.ours(tx, provider, from, until, asked);
      Map<String, Machine> before = ReconciliationStore.machines(tx, provider, day);
      Optional<String> problem = bill.problem().or(() -> suspicion(bill, ours, before));
      if (problem.isPresent()) {
        ReconciliationStore.left(tx, provider, day, problem.get());
        return problem;
      }
      write(tx, provider, day, bill, ours, before);
      ReconciliationStore.compared(tx, provider, day, asked);
      return Optional.empty();
    });
  }

  private Bill ask(String provider, HasCharges market, Instant from, Instant until) {
    List<Charge> charges;
    try {
      charges = market.charges(from, until);
    } catch (RuntimeException e) { // whatever it is: no answer is no bill
      return Bill.unusable("the market could not be asked: " + e.getMessage());
    }
    Map<String, Long> micros = new TreeMap<>();
    for (Charge charge : charges) {
      InstanceRef instance = charge.instance();
      if (!instance.provider().equals(provider)) {
        return Bill.unusable("the bill names a machine of " + instance.provider());
      }
      if (!charge.amount().currency().equals(ledger.currency())) {
        return Bill.unusable(
            "the bill is in " + charge.amount().currency() + ", ours in " + ledger.currency());
      }
      if (micros.put(instance.id(), charge.amount().micros()) != null) {
        return Bill.unusable("the bill names machine " + instance.id() + " twice");
      }
    }
    return new Bill(micros, Optional.empty());
  }

  /** A market that charged nothing at all, while machines were used, has not made its bill yet. */
  private static Optional<String> suspicion(
      Bill bill, Map<String, Long> ours, Map<String, Machine> before) {
    if (!bill.micros().isEmpty()) {
      return Optional.empty();
    }
    long used = ours.values().stream().filter(micros -> micros > 0).count();
    if (used > 0) {
      return Optional.of("the bill is empty, and " + used + " of our machines were used");
    }
    boolean had = before.values().stream().anyMatch(machine -> machine.theirsMicros() != 0);
    return had ? Optional.of("the bill is empty, and was not before") : Optional.empty();
  }

  private void write(
      Tx tx,
      String provider,
      LocalDate day,
      Bill bill,
      Map<String, Long> ours,
      Map<String, Machine> before) {
    Set<String> names = new TreeSet<>(bill.micros().keySet());
    names.addAll(before.keySet());
    ours.forEach((name, micros) -> {
      if (micros > 0) {
        names.add(name);
      }
    });
    Map<String, UUID> leases = ReconciliationStore.leases(tx, provider, names);
    List<Machine> changed = new ArrayList<>();
    List<Transfer> transfers = new ArrayList<>();
    for (String name : names) {
      Optional<UUID> lease = Optional.ofNullable(leases.get(name));
      Machine known = before.getOrDefault(name, new Machine(provider, day, name, lease, 0, 0, 0));
      Machine now =
          known.with(lease, ours.getOrDefault(name, 0L), bill.micros().getOrDefault(name, 0L));
      long change = now.differenceMicros() - known.differenceMicros();
      if (change != 0) {
        transfers.add(transfer(now, change));
        now = now.posted();
      }
      if (!before.containsKey(name) || !now.equals(known)) {
        changed.add(now);
      }
    }
    ReconciliationStore.write(tx, changed);
    if (!transfers.isEmpty()) {
      LedgerStore.open(tx, Account.PLATFORM, ledger.currency());
      LedgerStore.post(tx, transfers);
    }
  }

  /** The id follows from the machine, the day, and how often it was posted before. */
  private Transfer transfer(Machine machine, long change) {
    UUID market = account(Kind.MARKET).id();
    UUID difference = account(Kind.MARKET_DIFFERENCE).id();
    String what = machine.provider() + "/" + machine.day() + "/" + machine.instance();
    return new Transfer(
        Transfer.idOf("difference/" + what + "/" + machine.postings()),
        Account.PLATFORM,
        change > 0 ? difference : market,
        change > 0 ? market : difference,
        Math.abs(change),
        Transfer.Kind.DIFFERENCE,
        Optional.empty(), // a lease's transfers are its tenant's
        clock.instant(),
        shortened("charged for " + what));
  }

  private static String shortened(String reason) {
    return reason.substring(0, Math.min(reason.length(), 500));
  }

  private Account account(Kind kind) {
    return new Account(Account.PLATFORM, kind, ledger.currency());
  }

  /** What markets charged beyond what their machines earned, in all that was compared. */
  public long differenceMicros() {
    return database.read(tx -> LedgerStore.balance(tx, account(Kind.MARKET)));
  }

  /**
   * Which machines to list.
   *
   * @param provider only its; empty: of all
   * @param from the first day
   * @param until the day after the last
   * @param limit how many at most
   * @param offset how many are left out before
   */
  public record Query(
      Optional<String> provider, LocalDate from, LocalDate until, int limit, int offset) {}

  /** A part of a list, how many there are in all, and what they differ by together. */
  public record Listed(List<Machine> machines, long total, long differenceMicros) {
    public Listed {
      machines = List.copyOf(machines);
    }
  }

  /**
   * Machines by day, those of the caller's project; for an administrator all there are, also those
   * that no lease knows.
   */
  public Listed list(Caller caller, Query query) {
    caller.require(Action.BILLING_READ);
    boolean all = caller.isAdmin() && caller.key().isEmpty();
    Optional<UUID> project = all ? Optional.empty() : Optional.of(caller.project());
    return database.tx(tx -> ReconciliationStore.list(tx, project, query));
  }
}
