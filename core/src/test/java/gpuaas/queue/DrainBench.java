package gpuaas.queue;

import gpuaas.access.SshKeys;
import gpuaas.archive.TestArchives;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Standing;
import gpuaas.capacity.NodeSync;
import gpuaas.command.TestCommands;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.db.Tx;
import gpuaas.disk.TestDisks;
import gpuaas.lease.Desk;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseParts;
import gpuaas.lease.LeaseRules;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.LedgerRules;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Tier;
import gpuaas.work.WorkLoop;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Thousands of jobs of one GPU wait for 50 machines with 8 each; every one is stopped as soon as it
 * runs. From the moment that the machines may be used until the last job has ended: everything is
 * written down in PostgreSQL as in the product, only the machines are simulated.
 */
public final class DrainBench {

  private static final int NODES = 50;
  private static final int GPUS = 8;
  private static final int REQUESTS_AT_ONCE = 8;
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private static final Caller USER = Desk.caller(Standing.OWNER);

  private final Database database;
  private final Path data;
  private final ExecutorService users = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicReference<WorkLoop> loop = new AtomicReference<>();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicLong steps = new AtomicLong();
  private final LeaseParts parts;

  private DrainBench(Database database, Path data) {
    this.database = database;
    this.data = data;
    SimProvider machines = new SimProvider("sim", CLOCK, SimScript::prompt, NODES, GPUS);
    Providers providers = new Providers(Map.of("sim", machines));
    Ids ids = Ids.timeOrdered(CLOCK);
    Ledger ledger = new Ledger(database, CLOCK, LedgerRules.standard());
    this.parts =
        LeaseParts.open(
            database,
            providers,
            (lease, instance, ssh) -> Optional.of(new Endpoint("127.0.0.1", 22, "root")),
            TestArchives.none(),
            TestDisks.none(),
            TestCommands.none(),
            new SshKeys(database, ids, CLOCK, _ -> {}),
            "bench",
            ids,
            CLOCK,
            LeaseRules.standard(),
            100_000,
            ledger,
            new Budgets(database, ids, CLOCK, LedgerRules.standard()),
            new LeaseParts.Hooks(
                (kind, id) -> loop.get().wake(kind, id), this::changed, _ -> Optional.empty()));
    loop.set(
        new WorkLoop(
            database, CLOCK, "server", 64, Duration.ofSeconds(1), List.of(parts.reconciler())));
    Desk.addOwner(database);
    new NodeSync(database, providers, CLOCK).sync("sim");
  }

  private void changed(Lease lease) {
    switch (lease.state()) {
      case LeaseState.Running _ -> {
        var _ = users.submit(() -> stop(lease.id()));
      }
      case LeaseState.Ended _ -> ended.incrementAndGet();
      default -> {}
    }
  }

  private void stop(UUID lease) {
    together(tx -> parts.leases().stop(tx, USER, lease, EndReason.ASKED));
  }

  /** As requests are served. */
  private void together(Function<Tx, Lease> change) {
    var _ = database.together(change, () -> database.tx(change));
  }

  /** Argument: how many jobs. */
  public static void main(String[] arguments) throws Exception {
    int jobs = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 4_000;
    Path data = Files.createTempDirectory("gpuaas-bench");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres =
        EmbeddedPostgres.start(data.resolve("programs"), data.resolve("postgres"), true, "nobody");
    try (Database database =
        Database.open(postgres.settings("gpuaas", 16, Duration.ofMinutes(2)))) {
      new DrainBench(database, data).run(jobs);
    } finally {
      postgres.close();
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    }
    System.exit(0);
  }

  private void run(int jobs) throws Exception {
    usable(false);
    long asked = System.nanoTime();
    request(jobs);
    print("jobs a second asked for", jobs / seconds(asked));
    loop.get().start();
    LockSupport.parkNanos(Duration.ofSeconds(2).toNanos()); // they find that there is no room
    double busy = processorSeconds(false);
    double databaseBusy = processorSeconds(true);
    long begin = System.nanoTime();
    usable(true);
    parts.lookAtQueue().run();
    double halfway = 0;
    while (ended.get() < jobs) {
      if (halfway == 0 && ended.get() >= jobs / 2) {
        halfway = seconds(begin);
      }
      if (seconds(begin) > LIMIT.toSeconds()) {
        throw new IllegalStateException(ended + " of " + jobs + " have ended");
      }
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
    double all = seconds(begin);
    print("jobs a second from waiting to ended", jobs / all);
    print("  of the first half", jobs / 2.0 / halfway);
    print("  of the second half", jobs / 2.0 / (all - halfway));
    print(
        "microseconds of processor for a job, here", 1e6 * (processorSeconds(false) - busy) / jobs);
    print("  and in the database", 1e6 * (processorSeconds(true) - databaseBusy) / jobs);
    loop.get().close();
  }

  /** Of this program, or of its database. */
  private double processorSeconds(boolean ofDatabase) {
    Stream<ProcessHandle> programs =
        ofDatabase
            ? ProcessHandle.allProcesses()
                .filter(it -> it.info().command().orElse("").startsWith(data.toString()))
            : Stream.of(ProcessHandle.current());
    return programs
        .flatMap(program -> program.info().totalCpuDuration().stream())
        .mapToDouble(busy -> busy.toNanos() / 1e9)
        .sum();
  }

  private void usable(boolean usable) {
    database.run(
        tx -> tx.update("update gpu set healthy = :usable").bind("usable", usable).execute());
  }

  private void request(int jobs) throws Exception {
    LeaseSpec spec = Desk.spec(1, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, LeaseSpec.Guards.NONE);
    List<Future<?>> askers =
        IntStream.range(0, REQUESTS_AT_ONCE)
            .<Future<?>>mapToObj(asker ->
                users.submit(() -> {
                  for (int job = asker; job < jobs; job += REQUESTS_AT_ONCE) {
                    together(tx -> parts.leases().request(tx, USER, spec, Optional.empty()));
                  }
                }))
            .toList();
    for (Future<?> asker : askers) {
      asker.get();
    }
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  private static void print(String what, double value) {
    System.out.printf(Locale.ROOT, "%-50s %10.0f%n", what, value);
  }
}
