package gpuaas.main;

import gpuaas.archive.Archives;
import gpuaas.audit.Audit;
import gpuaas.capacity.NodeSync;
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.events.Telling;
import gpuaas.fill.FillWatch;
import gpuaas.gateway.TerminalSocket;
import gpuaas.idp.Admittance;
import gpuaas.lease.LeaseParts;
import gpuaas.ledger.BudgetAlerts;
import gpuaas.ledger.Reconciliation;
import gpuaas.operation.Idempotency;
import gpuaas.policy.Policies;
import gpuaas.provider.Providers;
import gpuaas.spi.ProviderException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done again and again for each provider, beside the work on rows: look at its nodes,
 * sweep, tidy.
 */
public final class Loops implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Loops.class);
  private static final Duration TIDY_EVERY = Duration.ofMinutes(10);
  private static final Duration FIRST_BILLS = Duration.ofMinutes(1);

  private final Settings settings;
  private final Database database;
  private final Providers providers;
  private final NodeSync nodes;
  private final LeaseParts lease;
  private final Archives archives;
  private final FillWatch disks;
  private final Commands commands;
  private final Reconciliation reconciliation;
  private final Idempotency idempotency;
  private final Telling telling;
  private final Counter orphans;
  private final Map<BudgetAlerts.Level, Counter> budgetAlerts =
      new EnumMap<>(BudgetAlerts.Level.class);
  private final IntConsumer orphansFound;
  private final ScheduledExecutorService timer =
      Executors.newScheduledThreadPool(2, Thread.ofPlatform().daemon().name("loop-", 0).factory());

  /** For what may wait long for others. */
  private final ScheduledExecutorService patient =
      Executors.newScheduledThreadPool(1, Thread.ofPlatform().daemon().name("books-", 0).factory());

  private final List<Chore> chores;
  private volatile boolean swept;

  private final Runnable measuring;

  /** Something that is done again and again. */
  record Chore(String what, Duration pause, Runnable work) {}

  /** Those of who comes in, and what they may. */
  static List<Chore> chores(
      Settings settings,
      Audit audit,
      Policies policies,
      Admittance admittance,
      TerminalSocket terminals) {
    return List.of(
        new Chore("sealing the audit trail", settings.auditSealEvery(), audit::seal),
        new Chore("reading policies", settings.policies().readEvery(), policies::read),
        new Chore("tidying sessions", TIDY_EVERY, admittance::tidy),
        new Chore(
            "looking at ended sessions",
            settings.people().logIn().recheckEvery(),
            admittance.sessions()::recheck),
        new Chore(
            "looking at who is in terminals", settings.sshRecheckEvery(), terminals::recheckAll));
  }

  Loops(
      Settings settings,
      Database database,
      Providers providers,
      NodeSync nodes,
      LeaseParts lease,
      Archives archives,
      Commands commands,
      Reconciliation reconciliation,
      Idempotency idempotency,
      Telling telling,
      MeterRegistry metrics,
      IntConsumer orphansFound,
      List<Chore> chores,
      Runnable measuring) {
    this.measuring = measuring;
    this.chores = List.copyOf(chores);
    this.orphansFound = orphansFound;
    this.settings = settings;
    this.database = database;
    this.providers = providers;
    this.nodes = nodes;
    this.lease = lease;
    this.archives = archives;
    this.disks = new FillWatch(database, providers, lease.leases(), settings.disks());
    this.commands = commands;
    this.reconciliation = reconciliation;
    this.idempotency = idempotency;
    this.telling = telling;
    for (BudgetAlerts.Level level : BudgetAlerts.Level.values()) {
      budgetAlerts.put(
          level,
          Counter.builder("gpu.budget.alerts")
              .description("Budgets that are nearly used up, or are, and whose owners were told")
              .tag("alert_type", level.name().toLowerCase(Locale.ROOT))
              .register(metrics));
    }
    this.orphans =
        Counter.builder("orphans.destroyed")
            .description("Instances that no lease knew, destroyed")
            .register(metrics);
  }

  /**
   * Looks and sweeps once, so that what is true is known before anybody is served; then again and
   * again.
   */
  void start() {
    providers.names().forEach(this::syncNodes);
    providers.names().forEach(this::sweep);
    lease.reviveAll().run();
    swept = true;
    for (String name : providers.names()) {
      every(settings.nodeSyncEvery(), () -> syncNodes(name));
      every(settings.sweepEvery(), () -> sweep(name));
    }
    every(
        settings.lease().queue().lookEvery(),
        () -> quietly("looking at the queue", lease.lookAtQueue()));
    every(
        settings.ledger().checkEvery(),
        () ->
            quietly(
                "looking at funds and budgets",
                () -> lease.spendingGuard().look(this::budgetTold)));
    long look = settings.disks().lookEvery().toMillis();
    var _ =
        patient.scheduleWithFixedDelay(
            () -> quietly("looking at disks", disks::look), look, look, TimeUnit.MILLISECONDS);
    var _ =
        patient.scheduleWithFixedDelay(
            () -> quietly("comparing bills", this::compareBills),
            Math.min(FIRST_BILLS.toMillis(), settings.reconciliation().every().toMillis()),
            settings.reconciliation().every().toMillis(),
            TimeUnit.MILLISECONDS);
    every(TIDY_EVERY, () -> quietly("tidying", idempotency::forgetOld));
    every(TIDY_EVERY, () -> quietly("tidying archives", archives::tidy));
    every(TIDY_EVERY, () -> quietly("tidying commands", commands::tidy));
    every(TIDY_EVERY, () -> quietly("tidying", telling.webhooks()::forgetOld));
    every(settings.observe().countEvery(), () -> quietly("measuring", measuring));
    chores.forEach(chore -> every(chore.pause(), () -> quietly(chore.what(), chore.work())));
    telling.start();
  }

  /** True once the first sweep is over, while the database answers. */
  boolean isReady() {
    return swept && database.isAlive();
  }

  /** What who runs this should know though it is ready, in sentences. */
  List<String> warnings() {
    return disks.warnings();
  }

  private void every(Duration pause, Runnable work) {
    var _ =
        timer.scheduleWithFixedDelay(
            work, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void syncNodes(String provider) {
    quietly("looking at the nodes of " + provider, () -> nodes.sync(provider));
  }

  private void sweep(String provider) {
    quietly(
        "sweeping " + provider,
        () -> {
          var result = lease.sweeper().sweep(provider);
          result.destroyed().forEach(orphan -> log.warn("destroyed the orphan {}", orphan));
          result
              .left()
              .forEach(orphan -> log.warn("could not destroy the orphan {}; trying again", orphan));
          orphans.increment(result.destroyed().size());
          orphansFound.accept(result.destroyed().size());
        });
  }

  private void budgetTold(BudgetAlerts.Alert alert) {
    Optional.ofNullable(budgetAlerts.get(alert.level())).ifPresent(Counter::increment);
  }

  private void compareBills() {
    reconciliation
        .look()
        .forEach(left ->
            log.warn(
                "the bill of {} for {} is left open, and asked for again: {}",
                left.provider(),
                left.day(),
                left.why()));
  }

  /** Whatever goes wrong, the next round is the retry. */
  private static void quietly(String what, Runnable work) {
    try {
      work.run();
    } catch (ProviderException | DatabaseGone e) {
      log.warn("{} did not work this time: {}", what, e.getMessage());
    } catch (RuntimeException e) {
      log.error("{} failed", what, e);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
    patient.shutdownNow();
    telling.close();
  }
}
