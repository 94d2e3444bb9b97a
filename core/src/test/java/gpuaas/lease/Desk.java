package gpuaas.lease;

import gpuaas.access.SshKeys;
import gpuaas.archive.TestArchives;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Standing;
import gpuaas.capacity.NodeSync;
import gpuaas.catalog.Want;
import gpuaas.command.TestCommands;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.disk.TestDisks;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.LedgerRules;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Endpoint;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The leases on a real database, a simulated machine and a clock that a test moves: step by step.
 */
public final class Desk implements AutoCloseable {

  public static final UUID OWNER = new UUID(0, 2);
  public static final String MODEL = SimProvider.GPU.model();

  public final TestClock clock = new TestClock();
  public final Database database = TestDatabase.open();
  public final Ledger ledger;
  public final Budgets budgets;
  public final SimProvider machine;
  final Map<UUID, Instant> traffic = new HashMap<>();
  private final Ids next;
  private final Providers providers;
  public LeaseParts parts;
  private final AtomicLong ids = new AtomicLong(100);

  public Desk(LedgerRules ledgerRules, int gpus) {
    this(ledgerRules, 1, gpus);
  }

  /** With several machines. */
  public Desk(LedgerRules ledgerRules, int nodes, int gpus) {
    this(ledgerRules, SimScript::prompt, nodes, gpus);
  }

  /** With machines that behave like this. */
  public Desk(LedgerRules ledgerRules, Supplier<SimScript> scripts, int nodes, int gpus) {
    machine = new SimProvider("sim", clock, scripts, nodes, gpus);
    ledger = new Ledger(database, clock, ledgerRules);
    next = () -> new UUID(0, ids.incrementAndGet());
    budgets = new Budgets(database, next, clock, ledgerRules);
    providers = new Providers(Map.of("sim", machine));
    parts = open();
    new NodeSync(database, providers, clock).sync("sim");
    addOwner(database);
  }

  /** Whose leases they are. */
  public static void addOwner(Database database) {
    database.run(tx -> {
      tx.update("insert into tenant values (:id, 'test', now())").bind("id", OWNER).execute();
      tx.update("insert into project values (:id, :id, 'test', 'test', now())")
          .bind("id", OWNER)
          .execute();
      tx.update(
              "insert into person (id, username, default_project_id, made_at) values (:id, 'test',"
                  + " :id, now())")
          .bind("id", OWNER)
          .execute();
    });
  }

  private LeaseParts open() {
    return LeaseParts.open(
        database,
        providers,
        (lease, instance, ssh) -> Optional.of(new Endpoint("127.0.0.1", 22, "root")),
        TestArchives.none(),
        TestDisks.none(),
        TestCommands.none(),
        new SshKeys(database, next, clock, _ -> {}),
        "desk",
        next,
        clock,
        LeaseRules.standard(),
        100,
        ledger,
        budgets,
        new LeaseParts.Hooks(
            (kind, id) -> {}, lease -> {}, id -> Optional.ofNullable(traffic.get(id))));
  }

  /** As after a restart: what was only in memory is gone. */
  void restart() {
    traffic.clear();
    parts = open();
  }

  public static Caller caller(Standing role) {
    return new Caller(OWNER, "test", OWNER, OWNER, role, Optional.empty(), "trace-7");
  }

  public static LeaseSpec spec(int gpus, Tier tier, LeaseSpec.WhenFull whenFull, Guards guards) {
    return new LeaseSpec(
        new Want("", MODEL, gpus, Optional.empty(), tier),
        "",
        List.of(),
        Map.of(),
        Optional.empty(),
        whenFull,
        Duration.ZERO,
        guards);
  }

  public UUID request(LeaseSpec spec) {
    return request(spec, caller(Standing.OWNER));
  }

  public UUID request(LeaseSpec spec, Caller caller) {
    return database.tx(tx -> parts.leases().request(tx, caller, spec, Optional.empty())).id();
  }

  public UUID request(int gpus, Tier tier) {
    return request(spec(gpus, tier, LeaseSpec.WhenFull.QUEUE, Guards.NONE));
  }

  public Lease lease(UUID id) {
    return parts.leases().find(id).orElseThrow();
  }

  /** Steps until the state is this; each step comes a second after the one before. */
  public Lease stepTo(UUID id, String state) {
    for (int i = 0; i < 50 && !lease(id).state().text().equals(state); i++) {
      step(id);
      clock.advance(Duration.ofSeconds(1));
    }
    Lease lease = lease(id);
    if (!lease.state().text().equals(state)) {
      throw new AssertionError("never " + state + ": " + lease);
    }
    return lease;
  }

  public void step(UUID id) {
    try {
      parts.reconciler().step(id);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  public void stop(UUID id) {
    database.run(tx -> parts.leases().stop(tx, caller(Standing.OWNER), id, EndReason.ASKED));
  }

  @Override
  public void close() {
    database.close();
  }
}
