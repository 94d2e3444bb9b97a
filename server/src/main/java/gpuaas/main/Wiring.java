package gpuaas.main;

import gpuaas.access.GithubKeys;
import gpuaas.access.Guests;
import gpuaas.access.KeyPairs;
import gpuaas.access.SshKeys;
import gpuaas.access.SshProbe;
import gpuaas.access.Terminals;
import gpuaas.archive.Archives;
import gpuaas.audit.Audit;
import gpuaas.base.Ids;
import gpuaas.base.Later;
import gpuaas.base.SecretBox;
import gpuaas.capacity.Catalog;
import gpuaas.capacity.NodeSync;
import gpuaas.capacity.PriceList;
import gpuaas.command.CommandReconciler;
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.disk.DiskReconciler;
import gpuaas.disk.Disks;
import gpuaas.events.Telling;
import gpuaas.gateway.Activity;
import gpuaas.gateway.GatewayReadiness;
import gpuaas.gateway.GatewaySettings;
import gpuaas.gateway.LeaseDoors;
import gpuaas.gateway.ServiceHealth;
import gpuaas.gateway.SshGateway;
import gpuaas.gateway.TerminalSocket;
import gpuaas.gpuaas.GpuaasAuth;
import gpuaas.gpuaas.GpuaasDialect;
import gpuaas.gpuaas.GpuaasEvents;
import gpuaas.gpuai.GpuaiDialect;
import gpuaas.gpuai.Profile;
import gpuaas.gpudev.GpudevDialect;
import gpuaas.gpudev.LogInDoor;
import gpuaas.gpudev.WebJobs;
import gpuaas.http.Dialect;
import gpuaas.http.FailedTries;
import gpuaas.http.Pipeline;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.idp.Admittance;
import gpuaas.idp.IdpDialect;
import gpuaas.lease.LeaseParts;
import gpuaas.lease.Leases;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.Reconciliation;
import gpuaas.ledger.Statement;
import gpuaas.observe.PlatformMetrics;
import gpuaas.observe.Tracing;
import gpuaas.operation.Idempotency;
import gpuaas.operation.Operations;
import gpuaas.policy.Policies;
import gpuaas.provider.Providers;
import gpuaas.proxy.ProxyServer;
import gpuaas.shopper.SessionRetries;
import gpuaas.shopper.ShopperDialect;
import gpuaas.shopper.ShopperMetrics;
import gpuaas.work.WorkLoop;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The whole system, made in the order of the staircase by calling constructors. Reading it is
 * reading the system; the tests call it with another clock, another database and other providers.
 */
public final class Wiring {

  private Wiring() {}

  /** The parts that a running system is used and stopped through. */
  public record Running(
      Settings settings,
      Database database,
      Providers providers,
      Admittance admittance,
      Catalog catalog,
      Leases leases,
      WorkLoop workLoop,
      Loops loops,
      SshGateway gateway,
      ProxyServer proxy,
      Listeners listeners,
      ShopperDialect sessions,
      GpudevDialect jobs,
      List<Dialect> dialects,
      Tracing tracing,
      String deployment) {

    /** Takes no more requests, and lets those that run finish. */
    void closeListeners() {
      listeners.close();
      proxy.close();
      sessions.close();
      jobs.close();
      tracing.close();
    }
  }

  /** Makes everything, in a state in which nothing has begun. */
  public static Running open(
      Settings settings, Database database, ProviderOpener opener, InstantSource clock)
      throws IOException {
    Files.createDirectories(settings.data());
    SecretBox secrets = SecretBox.open(settings.data().resolve("secret.key"));
    Ids ids = Ids.timeOrdered(clock);
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    String deployment = settings.deployment(database, ids);
    Listeners.Entrances entrances =
        new Listeners.Entrances(new Later<>(), new Later<>(), new Later<>());
    Later<WorkLoop> loop = new Later<>();
    Later<Leases> leases = new Later<>();
    Later<Catalog> catalogs = new Later<>();

    // events
    Telling telling =
        Telling.open(
            database,
            secrets,
            ids,
            clock,
            settings.telling(),
            List.of(
                new GpuaasEvents(),
                GpuaiDialect.voice(Profile.DOCUMENT, leases::get, database),
                GpuaiDialect.voice(Profile.SDK, leases::get, database)),
            List.of(
                new SessionRetries(
                    leases::get,
                    catalogs::get,
                    clock,
                    bound -> ThreadLocalRandom.current().nextInt(bound))));

    // audit, identity, provider, access
    Audit audit = new Audit(database, clock);
    Identities identities = new Identities(database, ids, clock);
    ApiKeys apiKeys = new ApiKeys(database, ids, clock, settings.apiKeys(), entrances::loggedOut);
    Policies policies = Policies.open(database, clock, settings.policies());
    Admittance admittance =
        Admittance.open(
            database,
            identities,
            apiKeys,
            secrets,
            Addresses.idp(settings),
            settings.people(),
            new Admittance.Told(_ -> entrances.lessened(), entrances::loggedOut),
            ids,
            clock);
    ShopperMetrics shopperMetrics = new ShopperMetrics(metrics);
    PlatformMetrics platformMetrics = new PlatformMetrics(metrics);
    Providers providers = opener.open(settings, deployment, clock, shopperMetrics::called);
    SshKeys sshKeys =
        new SshKeys(database, ids, clock, _ -> entrances.gateway().get().recheckAll());
    Terminals terminals = new Terminals(database, clock, settings.terminalTokenLifetime());
    KeyPairs.Pair probeKey = KeyPairs.make("readiness probe");

    // capacity, ledger, lease
    NodeSync nodes = new NodeSync(database, providers, clock);
    Catalog catalog = new Catalog(nodes, providers, database, clock, settings.catalog());
    catalogs.set(catalog);
    GatewayReadiness readiness =
        new GatewayReadiness(
            new SshProbe(),
            probeKey,
            entrances.gateway()::get,
            Addresses.ssh(settings),
            settings.address(),
            settings.readyProbeLimit(),
            new ServiceHealth(providers, settings.readyProbeLimit()));
    Ledger ledger = new Ledger(database, clock, settings.ledger());
    Budgets budgets = new Budgets(database, ids, clock, settings.ledger());
    Reconciliation reconciliation =
        new Reconciliation(
            database, providers, clock, settings.ledger(), settings.reconciliation());
    Activity activity = new Activity(clock);
    LeaseParts.Hooks hooks =
        new LeaseParts.Hooks(
            (kind, id) -> {
              loop.get().wake(kind, id);
              telling.relay().wake();
            },
            changed -> {
              entrances.changed(changed);
              shopperMetrics.changed(changed);
              platformMetrics.changed(changed);
              if (changed.state().isOver()) {
                activity.forget(changed.id());
              }
              telling.relay().wake();
            },
            activity::last);
    Archives archives = new Archives(database, providers, ids, clock, settings.archive());
    Disks disks =
        new Disks(
            database,
            providers,
            ids,
            clock,
            settings.disks(),
            (kind, id) -> loop.get().wake(kind, id));
    Commands commands = new Commands(database, providers, clock, settings.commands());
    LeaseParts lease =
        LeaseParts.open(
            database,
            providers,
            readiness,
            archives,
            disks,
            commands,
            sshKeys,
            deployment,
            ids,
            clock,
            settings.lease(),
            settings.leasesMostPerProject(),
            ledger,
            budgets,
            hooks);
    leases.set(lease.leases());
    Guests guests =
        new Guests(
            database,
            new GithubKeys(settings.github().base(), settings.github().limit()),
            clock,
            settings.github().rules(),
            () -> entrances.gateway().get().recheckAll(),
            (kind, id) -> loop.get().wake(kind, id));
    WebParts web =
        WebParts.open(
            new WebParts.Needs(settings, database, secrets, lease.leases(), providers, clock),
            entrances.proxy(),
            loop);
    loop.set(
        new WorkLoop(
            database,
            clock,
            settings.server(),
            settings.workParallel(),
            settings.workPollEvery(),
            List.of(
                lease.reconciler(),
                guests,
                web.reconciler(),
                new CommandReconciler(commands, lease.reconciler()),
                new DiskReconciler(database, providers, clock, settings.disks()))));

    // the ways in
    GatewaySettings gatewaySettings = Addresses.gateway(settings);
    LeaseDoors doors =
        new LeaseDoors(lease.leases(), sshKeys, guests, providers, probeKey.publicKey());
    SshGateway gateway = new SshGateway(gatewaySettings, doors, new SessionLines(), activity);
    entrances.gateway().set(gateway);
    TerminalSocket terminalSocket =
        new TerminalSocket(
            terminals,
            lease.leases(),
            providers,
            activity,
            settings.terminalIdleLimit(),
            (opened, one) -> admittance.still(opened, one.project()),
            platformMetrics::terminalTokenRejected);
    entrances.terminals().set(terminalSocket);

    // loops and listeners
    Idempotency idempotency = new Idempotency(database, clock, secrets, settings.idempotencyKept());
    Loops loops =
        new Loops(
            settings,
            database,
            providers,
            nodes,
            lease,
            archives,
            commands,
            reconciliation,
            idempotency,
            telling,
            metrics,
            shopperMetrics::orphans,
            Loops.chores(settings, audit, policies, admittance, terminalSocket),
            () -> platformMetrics.count(lease.leases()));
    FailedTries failedTries = new FailedTries(settings.failedAuthenticationsPerMinute());
    ProxyServer proxy = web.listen(settings, lease.leases(), providers, failedTries, activity);
    entrances.proxy().set(proxy);
    Tracing tracing = Tracing.open(settings.observe().tracing());
    Pipeline pipeline =
        new Pipeline(
            database,
            idempotency,
            platformMetrics,
            tracing,
            ids::next,
            failedTries,
            audit::refused);
    GpuaasDialect gpuaas =
        new GpuaasDialect(
            new GpuaasDialect.Parts(
                new GpuaasAuth(admittance.credentials()),
                database,
                lease.leases(),
                sshKeys,
                apiKeys,
                new GpuaasDialect.Membership(admittance, audit, failedTries, ids::next),
                terminals,
                policies,
                settings.apiUrl(),
                gateway.hostKeys().getFirst(),
                terminalSocket,
                ledger,
                budgets,
                telling,
                settings.eventStreams(),
                loops::isReady,
                loops::warnings,
                metrics,
                clock));
    GpuaiDialect.Parts gpuaiParts =
        new GpuaiDialect.Parts(
            settings.gpuai(),
            database,
            secrets,
            admittance.credentials(),
            lease.leases(),
            new Operations(database),
            sshKeys,
            new PriceList(database, clock),
            new Statement(database),
            telling.webhooks(),
            settings.gpuai().rateLimits(),
            clock);
    GpuaiDialect gpuai = new GpuaiDialect("/v1", Profile.DOCUMENT, gpuaiParts);
    GpuaiDialect gpuaiSdk = new GpuaiDialect("/sdk/v1", Profile.SDK, gpuaiParts);
    ShopperDialect shopper =
        new ShopperDialect(
            new ShopperDialect.Parts(
                settings.shopper(),
                database,
                identities,
                admittance.credentials(),
                providers,
                catalog,
                lease.leases(),
                reconciliation,
                loops::isReady,
                metrics,
                shopperMetrics,
                clock,
                bound -> ThreadLocalRandom.current().nextInt(bound)));
    GpudevDialect gpudev =
        new GpudevDialect(
            new GpudevDialect.Parts(
                settings.gpudev(),
                database,
                identities,
                admittance.credentials(),
                apiKeys,
                LogInDoor.open(settings.gpudevLogIn(), clock),
                sshKeys,
                guests,
                disks,
                lease.leases(),
                new WebJobs(web.webs(), proxy.addresses()),
                commands,
                ids,
                clock));
    IdpDialect idp = new IdpDialect(admittance, failedTries);
    People.ensure(settings, identities, admittance.sessions(), secrets, database);
    Listeners.Dialects dialects =
        new Listeners.Dialects(gpuaas, idp, List.of(gpuai, gpuaiSdk), gpudev, shopper);
    return new Running(
        settings,
        database,
        providers,
        admittance,
        catalog,
        lease.leases(),
        loop.get(),
        loops,
        gateway,
        proxy,
        Listeners.open(settings, pipeline, dialects),
        shopper,
        gpudev,
        dialects.all(),
        tracing,
        deployment);
  }
}
