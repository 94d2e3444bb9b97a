package gpuaas.lease;

import gpuaas.base.Caller;
import gpuaas.capacity.NodeSync;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
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
import gpuaas.spi.HasNodes;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.Tier;
import gpuaas.work.WorkLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A process that takes one lease from its request to its end, over PostgreSQL and real
 * environments, and kills itself with SIGKILL at the step that it is told.
 */
public final class CrashedServer {

  static final UUID LEASE = new UUID(0, 1);

  private static final UUID OWNER = new UUID(0, 2);
  private static final Caller USER =
      new Caller(OWNER, "test", OWNER, OWNER, Set.of(Caller.Role.USER), Optional.empty(), "crash");
  private static final String DEPLOYMENT = "crash-test";
  private static final String PROVIDER = "local";
  private static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private static final LeaseRules RULES =
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
  private final String killAt;
  private final Map<String, Integer> counts = new HashMap<>();

  private CrashedServer(Path folder, String killAt) {
    this.folder = folder;
    this.killAt = killAt;
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
      new CrashedServer(folder, given.get("KILL_AT")).live(database);
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
    Providers providers = new Providers(Map.of(PROVIDER, new DyingProvider(local)));
    Providers plain = new Providers(Map.of(PROVIDER, local));
    new NodeSync(database, plain, CLOCK).sync(PROVIDER);
    AtomicReference<WorkLoop> loop = new AtomicReference<>();
    LeaseStore store =
        new LeaseStore(
            database,
            CLOCK,
            new Leases.Hooks(
                (kind, id) -> loop.get().wake(kind, id), _ -> {}, _ -> Optional.empty()),
            RULES,
            new Ledger(database, CLOCK, LedgerRules.standard()));
    DyingBook book = new DyingBook(store);
    Readiness readiness =
        (lease, instance, ssh) -> step("prove", () -> prove((HasExec) local, instance));
    LeaseReconciler reconciler =
        new LeaseReconciler(
            book, providers, readiness, DEPLOYMENT, CLOCK, RULES, _ -> Optional.empty());
    loop.set(
        new WorkLoop(database, CLOCK, "server", 2, Duration.ofMillis(200), List.of(reconciler)));
    request(database, store);
    new OrphanSweeper(store, plain, DEPLOYMENT).sweep(PROVIDER);
    store.reviveAll();
    loop.get().start();
    await("it runs", store, lease -> lease.state() instanceof Running || isEnding(lease));
    await("it was metered", store, lease -> isEnding(lease) || wasMetered(lease));
    stop(database, store);
    await("it ends", store, lease -> lease.state() instanceof Ended);
    // The last row of work goes after the last step.
    Eventually.within(Duration.ofSeconds(30), "no work is left", () -> workLeft(database) == 0);
    loop.get().close();
    new OrphanSweeper(store, plain, DEPLOYMENT).sweep(PROVIDER);
    local.close();
  }

  private static boolean isEnding(Lease lease) {
    return lease.state() instanceof LeaseState.Stopping || lease.state() instanceof Ended;
  }

  private static boolean wasMetered(Lease lease) {
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

  private static void await(
      String what, LeaseStore store, java.util.function.Predicate<Lease> condition) {
    Eventually.within(
        Duration.ofSeconds(90), what, () -> condition.test(store.find(LEASE).orElseThrow()));
  }

  private void request(Database database, LeaseStore store) {
    if (store.find(LEASE).isPresent()) {
      return;
    }
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
      Want want = new Want("h200-sxm-slice", "H200", 1, Optional.empty(), Tier.ON_DEMAND);
      LeaseSpec spec = LeaseSpec.queued(want, "", List.of());
      store.add(
          tx, Lease.requested(LEASE, USER, spec, Optional.empty(), 4_500_000, CLOCK.instant()));
    });
  }

  private void stop(Database database, LeaseStore store) {
    step(
        "stop",
        () -> {
          database.run(tx -> {
            LeaseStore.lock(tx, LEASE);
            Lease lease = LeaseStore.find(tx, LEASE).orElseThrow();
            Change change =
                lease.on(new LeaseSignal.StopAsked(EndReason.ASKED), CLOCK.instant(), RULES);
            if (!change.isEmpty() && !store.write(tx, change)) {
              throw new IllegalStateException("a locked lease moved on");
            }
          });
          return true;
        });
  }

  private <T> T step(String what, Supplier<T> work) {
    reach("before " + what);
    T result = work.get();
    reach("after " + what);
    return result;
  }

  private synchronized void reach(String point) {
    int count = counts.merge(point, 1, Integer::sum);
    String step = point + " " + count;
    try {
      Files.writeString(
          folder.resolve("steps"),
          step + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
      if (step.equals(killAt)) {
        new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid()))
            .start()
            .waitFor();
        throw new IllegalStateException("survived SIGKILL");
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The real store, with points to die at. Looking is not one: nothing changes. */
  private final class DyingBook implements LeaseBook {
    private final LeaseStore store;

    DyingBook(LeaseStore store) {
      this.store = store;
    }

    @Override
    public Optional<Lease> find(UUID lease) {
      return store.find(lease);
    }

    @Override
    public Turn place(Lease waiting, Instant now) {
      return step("place", () -> store.place(waiting, now));
    }

    @Override
    public boolean write(Change change) {
      return step("write", () -> store.write(change));
    }

    @Override
    public List<String> authorizedKeys(Lease lease) {
      return List.of();
    }
  }

  /** The real provider, with points to die at. */
  private final class DyingProvider implements Provider, HasNodes {
    private final Provider inner;

    DyingProvider(Provider inner) {
      this.inner = inner;
    }

    @Override
    public List<Offer> offers(OfferQuery query) {
      return inner.offers(query);
    }

    @Override
    public InstanceRef create(InstanceRequest request) {
      return step("create", () -> inner.create(request));
    }

    @Override
    public Optional<InstanceStatus> inspect(InstanceRef instance) {
      return step("inspect", () -> inner.inspect(instance));
    }

    @Override
    public void destroy(InstanceRef instance) {
      step(
          "destroy",
          () -> {
            inner.destroy(instance);
            return true;
          });
    }

    @Override
    public List<Owned> list(String deployment) {
      return step("list", () -> inner.list(deployment));
    }

    @Override
    public List<NodeStatus> nodes() {
      return ((HasNodes) inner).nodes();
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
