package gpuaas.lease;

import gpuaas.access.SshKeys;
import gpuaas.archive.Archives;
import gpuaas.base.Ids;
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.disk.Disks;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.provider.Providers;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.gang.HasGangs;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/** Everything about leases, made in one place: the service, its loop and its sweeper. */
public record LeaseParts(
    Leases leases,
    LeaseReconciler reconciler,
    OrphanSweeper sweeper,
    SpendingGuard spendingGuard,
    Runnable reviveAll,
    Runnable lookAtQueue) {

  /** Proves that an instance can be used, in the way its user will. */
  @FunctionalInterface
  public interface Readiness {

    /**
     * Tries once, within a limit of its own.
     *
     * @param ssh what the provider says; empty when it is reached through the gateway
     * @return where it answered; empty: not yet
     */
    Optional<Endpoint> prove(Lease lease, InstanceRef instance, Optional<Endpoint> ssh)
        throws InterruptedException;
  }

  /**
   * Who is told of what, after each commit, and who is asked.
   *
   * @param wake kind and id of what is due now
   * @param changed a lease as it was just written
   * @param lastTraffic when anything last went into or out of a lease, if that is known
   */
  public record Hooks(
      BiConsumer<String, UUID> wake,
      Consumer<Lease> changed,
      Function<UUID, Optional<Instant>> lastTraffic) {}

  /** Makes the parts. */
  public static LeaseParts open(
      Database database,
      Providers providers,
      Readiness readiness,
      Archives archives,
      Disks disks,
      Commands commands,
      SshKeys sshKeys,
      String deployment,
      Ids ids,
      InstantSource clock,
      LeaseRules rules,
      int livingMostPerProject,
      Ledger ledger,
      Budgets budgets,
      Hooks hooks) {
    LeaseStore store =
        new LeaseStore(
            database, clock, hooks, rules, ledger, disks, providers.having(HasGangs.class));
    return new LeaseParts(
        new Leases(
            database,
            store,
            new Accepting(sshKeys, clock, livingMostPerProject, rules.queue()),
            ids,
            clock,
            rules,
            providers::canRestart),
        new LeaseReconciler(
            store,
            providers,
            readiness,
            archives,
            disks,
            commands,
            deployment,
            clock,
            rules,
            hooks.lastTraffic()),
        new OrphanSweeper(store, providers, deployment),
        new SpendingGuard(database, store, budgets, providers, ledger.rules(), rules, clock),
        store::reviveAll,
        store::lookAtQueue);
  }
}
