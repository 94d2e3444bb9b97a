package gpuaas.gpuaas;

import gpuaas.access.SshKey;
import gpuaas.access.SshKeys;
import gpuaas.access.Terminals;
import gpuaas.audit.Audit;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.db.Database;
import gpuaas.events.Telling;
import gpuaas.gpuaas.allocation.AdminAllocationRoutes;
import gpuaas.gpuaas.allocation.AllocationRoutes;
import gpuaas.gpuaas.allocation.AllocationViews;
import gpuaas.gpuaas.allocation.GroupRoutes;
import gpuaas.gpuaas.policy.CallLimits;
import gpuaas.gpuaas.policy.PolicyRoutes;
import gpuaas.gpuaas.wire.DocumentRoutes;
import gpuaas.gpuaas.wire.GpuaasErrors;
import gpuaas.group.Groups;
import gpuaas.http.Dialect;
import gpuaas.http.FailedTries;
import gpuaas.http.Origins;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.http.SocketRoute;
import gpuaas.identity.ApiKeys;
import gpuaas.idp.Admittance;
import gpuaas.lease.Leases;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.oversight.Oversight;
import gpuaas.oversight.Roster;
import gpuaas.policy.Policies;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Allocations over the core: the dialect of the GPUaaS documents. */
public final class GpuaasDialect implements Dialect {

  private final GpuaasAuth auth;
  private final CallLimits limits;
  private final List<Route> routes;
  private final List<SocketRoute> sockets;

  /**
   * What the dialect speaks about.
   *
   * @param publicUrl the address that the world knows; empty: the one that each client used
   * @param hostKey of the SSH gateway, so that clients know it before they connect
   */
  public record Parts(
      GpuaasAuth auth,
      Database database,
      Leases leases,
      SshKeys sshKeys,
      ApiKeys apiKeys,
      Membership membership,
      Terminals terminals,
      Policies policies,
      Optional<String> publicUrl,
      SshKey hostKey,
      SocketRoute.Opener terminalSocket,
      Ledger ledger,
      Budgets budgets,
      Telling telling,
      EventStreamRules eventStreams,
      BooleanSupplier ready,
      Supplier<List<String>> warnings,
      PrometheusMeterRegistry metrics,
      InstantSource clock) {}

  /** Who belongs where, and the programs that have names of their own. */
  public record Membership(
      Admittance admittance, Audit audit, FailedTries failedTries, Supplier<UUID> ids) {}

  public GpuaasDialect(Parts parts) {
    this.auth = parts.auth();
    this.limits = new CallLimits(parts.policies());
    AllocationViews views = new AllocationViews(parts.hostKey());
    AllocationRoutes allocations = new AllocationRoutes(parts.leases(), views);
    Groups groups =
        new Groups(parts.database(), parts.leases(), parts.membership().ids(), parts.clock());
    Oversight oversight = new Oversight(parts.database(), parts.leases(), parts.clock());
    TerminalRoutes terminals =
        new TerminalRoutes(
            parts.leases(),
            parts.terminals(),
            parts.database(),
            new Origins(parts.publicUrl(), parts.membership().admittance().redirectUris().named()),
            parts.auth(),
            parts.terminalSocket());
    this.routes =
        Stream.of(
                new HealthRoutes(parts.ready(), parts.warnings(), parts.metrics()).routes(),
                new DocumentRoutes().routes(),
                new AccountRoutes().routes(),
                new AuthRoutes(parts.membership(), parts.auth()).routes(),
                new PersonalRoutes(parts.membership()).routes(),
                new CatalogRoutes(parts.database(), parts.clock()).routes(),
                new SshKeyRoutes(parts.sshKeys()).routes(),
                new ApiKeyRoutes(parts.apiKeys()).routes(),
                new ProjectRoutes(parts.membership().admittance().tenancy()).routes(),
                new MemberRoutes(parts.membership().admittance()).routes(),
                new ServiceAccountRoutes(parts.membership(), parts.clock()).routes(),
                new AuditRoutes(parts.membership().audit()).routes(),
                new PolicyRoutes(parts.policies()).routes(),
                allocations.routes(),
                new GroupRoutes(groups, views).routes(),
                new UserRoutes(
                        new Roster(
                            parts.database(),
                            parts.membership().admittance().identities(),
                            parts.membership().admittance().sessions(),
                            parts.clock()),
                        parts.membership().admittance().rules().passwordLengthLeast())
                    .routes(),
                new AdminAllocationRoutes(oversight, allocations, views).routes(),
                new EventRoutes(parts.telling().feed(), parts.eventStreams(), parts.auth()::caller)
                    .routes(),
                new MoneyRoutes(parts.ledger(), parts.budgets()).routes(),
                new WebhookRoutes(parts.telling().webhooks()).routes(),
                terminals.routes())
            .flatMap(List::stream)
            .toList();
    this.sockets = terminals.sockets();
  }

  @Override
  public String name() {
    return "gpuaas-api";
  }

  @Override
  public List<Route> routes() {
    return routes;
  }

  @Override
  public List<SocketRoute> sockets() {
    return sockets;
  }

  @Override
  public Caller authenticate(Request request) {
    return auth.caller(request);
  }

  /** By policies; what is for everybody has no limit. */
  @Override
  public Map<String, String> admit(Route route, Request request) {
    return request.knownCaller().map(caller -> limits.take(route, caller)).orElseGet(Map::of);
  }

  @Override
  public Reply refused(Refusal refusal, String correlationId) {
    return GpuaasErrors.refused(refusal, correlationId);
  }

  @Override
  public Reply misdirected(int status, String correlationId) {
    return GpuaasErrors.misdirected(status, correlationId);
  }

  @Override
  public Reply crashed(String correlationId) {
    return GpuaasErrors.crashed(correlationId);
  }

  @Override
  public List<String> correlationHeaders() {
    return List.of("X-Correlation-Id", "X-Request-Id");
  }

  @Override
  public List<String> idempotencyHeaders() {
    return List.of("X-Idempotency-Key", "Idempotency-Key");
  }
}
