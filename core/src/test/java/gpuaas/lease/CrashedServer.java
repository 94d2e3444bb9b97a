package gpuaas.lease;

import gpuaas.archive.TestArchives;
import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.capacity.NodeSync;
import gpuaas.catalog.Want;
import gpuaas.command.TestCommands;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.Tx;
import gpuaas.disk.TestDisks;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Running;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.LedgerRules;
import gpuaas.local.LocalFactory;
import gpuaas.provider.Providers;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.Tier;
import gpuaas.work.WorkLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * A process that takes leases from their request to their end, over PostgreSQL and real
 * environments, and kills itself with SIGKILL at the step that it is told.
 */
public final class CrashedServer {

  static final UUID LEASE = new UUID(0, 1);

  /** The stories: one lease from its request to its end; a spot lease that makes room. */
  static final String LIFE = "life";

  static final String RECLAIM = "reclaim";

  private static final UUID OWNER = new UUID(0, 2);
  private static final Caller USER =
      new Caller(OWNER, "test", OWNER, OWNER, Standing.OWNER, Optional.empty(), "crash");
  private static final String DEPLOYMENT = "crash-test";
  private static final String PROVIDER = "local";
  private static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  static final LeaseRules RULES =
      new LeaseRules(
          Duration.ofSeconds(5),
          Duration.ofMinutes(10), // however slow the machine is
          Duration.ofMillis(100),
          Duration.ofMillis(100),
          Duration.ofMinutes(1),
          20,
          Duration.ofSeconds(1),
          Duration.ofMinutes(10),
          Duration.ofMinutes(5));

  private final Path folder;
  private final String story;
  private final Dying dying;

  private CrashedServer(Path folder, String story, Dying dying) {
    this.folder = folder;
    this.story = story;
    this.dying = dying;
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> given = System.getenv();
    Path folder = Path.of(given.get("FOLDER"));
    DatabaseSettings settings =
        new DatabaseSettings(
            given.get("URL"),
            given.get("USER_NAME"),
            given.get("PASSWORD"),
            6,
            Duration.ofSeconds(5));
    try (Database database = Database.open(settings)) {
      String story = given.get("STORY");
      Dying dying =
          new Dying(
              folder, given.get("KILL_AT"), story.equals(RECLAIM) ? CrashedReclaim::name : _ -> "");
      new CrashedServer(folder, story, dying).live(database);
    }
    System.exit(0);
  }

  /** Folders of environments that are still there. */
  static List<Path> leftovers(Path folder) throws IOException {
    try (Provider provider = openLocal(folder)) {
      return provider.list(DEPLOYMENT).stream()
          .map(owned -> Path.of(owned.instance().id()))
          .toList();
    }
  }

  private static Provider openLocal(Path folder) {
    Map<String, String> values =
        Map.of(
            "gpus", "1xH200", "gpu-discovery", "off", "egress", "off", "memory-per-gpu-mib", "256");
    return new LocalFactory()
        .open(new ProviderConfig(PROVIDER, DEPLOYMENT, folder.resolve("local"), CLOCK, values));
  }

  private void live(Database database) throws Exception {
    Provider local = openLocal(folder);
    Providers providers = new Providers(Map.of(PROVIDER, dying.provider(local)));
    Providers plain = new Providers(Map.of(PROVIDER, local));
    new NodeSync(database, plain, CLOCK).sync(PROVIDER);
    AtomicReference<WorkLoop> loop = new AtomicReference<>();
    LeaseStore store =
        new LeaseStore(
            database,
            CLOCK,
            new LeaseParts.Hooks(
                (kind, id) -> loop.get().wake(kind, id), _ -> {}, _ -> Optional.empty()),
            RULES,
            new Ledger(database, CLOCK, LedgerRules.standard()),
            TestDisks.none(),
            Set.of());
    LeaseParts.Readiness readiness =
        (lease, instance, ssh) -> dying.step("prove", () -> prove((HasExec) local, instance));
    LeaseReconciler reconciler =
        new LeaseReconciler(
            dying.book(store),
            providers,
            readiness,
            TestArchives.none(),
            TestDisks.none(),
            TestCommands.none(),
            DEPLOYMENT,
            CLOCK,
            RULES,
            _ -> Optional.empty());
    loop.set(
        new WorkLoop(database, CLOCK, "server", 2, Duration.ofMillis(200), List.of(reconciler)));
    database.run(CrashedServer::addOwner);
    if (story.equals(LIFE)) {
      requestOnce(database, store, LEASE, Tier.ON_DEMAND);
    }
    new OrphanSweeper(store, plain, DEPLOYMENT).sweep(PROVIDER);
    store.reviveAll();
    loop.get().start();
    if (story.equals(LIFE)) {
      life(database, store);
    } else {
      CrashedReclaim.tell(database, store);
    }
    // The last row of work goes after the last step.
    Eventually.within(Duration.ofSeconds(30), "no work is left", () -> workLeft(database) == 0);
    loop.get().close();
    new OrphanSweeper(store, plain, DEPLOYMENT).sweep(PROVIDER);
    local.close();
  }

  private void life(Database database, LeaseStore store) {
    await("it runs", store, LEASE, lease -> lease.state() instanceof Running || isEnding(lease));
    await("it was metered", store, LEASE, lease -> isEnding(lease) || wasMetered(lease));
    dying.step(
        "stop",
        () -> {
          stop(database, store, LEASE);
          return true;
        });
    await("it ends", store, LEASE, lease -> lease.state() instanceof Ended);
  }

  static boolean isEnding(Lease lease) {
    return lease.state() instanceof LeaseState.Stopping || lease.state() instanceof Ended;
  }

  static boolean wasMetered(Lease lease) {
    return lease.state() instanceof Running running
        && running.since().isBefore(running.meteredTo());
  }

  private static int workLeft(Database database) {
    return database.read(tx -> tx.query("select count(*) from work").mapTo(Integer.class).one());
  }

  private static Optional<Endpoint> prove(HasExec exec, InstanceRef instance) {
    try (ExecChannel channel =
        exec.exec(instance, new ExecRequest(List.of("true"), Optional.empty(), Map.of()))) {
      return channel.waitFor() == 0
          ? Optional.of(new Endpoint("127.0.0.1", 2222, "lease"))
          : Optional.empty();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String what, LeaseStore store, UUID id, Predicate<Lease> condition) {
    Eventually.within(
        Duration.ofSeconds(90), what, () -> condition.test(store.find(id).orElseThrow()));
  }

  private static void addOwner(Tx tx) {
    tx.update("insert into tenant values (:id, 'test', now()) on conflict do nothing")
        .bind("id", OWNER)
        .execute();
    tx.update("insert into project values (:id, :id, 'test', 'test', now()) on conflict do nothing")
        .bind("id", OWNER)
        .execute();
    tx.update(
            "insert into person (id, username, default_project_id, made_at) values (:id, 'test',"
                + " :id, now()) on conflict do nothing")
        .bind("id", OWNER)
        .execute();
  }

  static void requestOnce(Database database, LeaseStore store, UUID id, Tier tier) {
    if (store.find(id).isPresent()) {
      return;
    }
    Want want = new Want("h200-sxm-slice", "H200", 1, Optional.empty(), tier);
    LeaseSpec spec = LeaseSpec.queued(want, "", List.of());
    database.run(tx ->
        store.add(
            tx, Lease.requested(id, USER, spec, Optional.empty(), 4_500_000, CLOCK.instant())));
  }

  static void stop(Database database, LeaseStore store, UUID id) {
    database.run(tx -> {
      LeaseStore.lock(tx, id);
      Lease lease = LeaseStore.find(tx, id).orElseThrow();
      Change change = lease.on(new LeaseSignal.StopAsked(EndReason.ASKED), CLOCK.instant(), RULES);
      if (!change.isEmpty() && !store.write(tx, change)) {
        throw new IllegalStateException("a locked lease moved on");
      }
    });
  }
}
