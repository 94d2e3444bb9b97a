package gpuaas.gpuaas.policy;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Tx;
import gpuaas.gpuaas.wire.GpuaasErrors;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.policy.Holding;
import gpuaas.policy.Policies;
import gpuaas.policy.PolicyDefinition;
import gpuaas.policy.PolicyValue;
import gpuaas.policy.PolicyValue.Author;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;

/** Policies: what holds for the caller, and what administrators set. */
public final class PolicyRoutes {

  private static final String PATH = "/api/v1/policies";
  private static final String ADMIN = "/api/v1/admin/policies";
  private static final BigDecimal MOST = BigDecimal.valueOf(1_000_000_000_000_000_000L);

  private final Policies policies;

  public PolicyRoutes(Policies policies) {
    this.policies = policies;
  }

  /** All of them. */
  public List<Route> routes() {
    return Stream.of(
            List.of(
                Route.get(PATH, this::here).needing(Action.SELF_READ),
                Route.get(ADMIN, this::everywhere).needing(Action.PLATFORM_OPERATE),
                Route.get("/api/v1/admin/policy-values", this::list)
                    .needing(Action.PLATFORM_OPERATE)),
            slot(PATH + "/{key}/tenant", Action.POLICY_WRITE, PolicyRoutes::ownTenant),
            slot(
                PATH + "/{key}/projects/{project_id}",
                Action.POLICY_WRITE,
                PolicyRoutes::ownProject),
            slot(ADMIN + "/{key}/global", Action.PLATFORM_OPERATE, PolicyRoutes::global),
            slot(ADMIN + "/{key}/tenants/{id}", Action.PLATFORM_OPERATE, PolicyRoutes::tenant),
            slot(ADMIN + "/{key}/projects/{id}", Action.PLATFORM_OPERATE, PolicyRoutes::project))
        .flatMap(List::stream)
        .toList();
  }

  private List<Route> slot(String path, Action needs, Function<Request, Slot> slot) {
    return List.of(
        Route.once("PUT", path, (request, tx) -> set(request, tx, slot.apply(request)))
            .needing(needs),
        Route.once("DELETE", path, (request, tx) -> remove(request, tx, slot.apply(request)))
            .needing(needs));
  }

  private static Slot ownTenant(Request request) {
    return new Slot(definition(request), Scope.TENANT, request.caller().tenant(), Author.TENANT);
  }

  private static Slot ownProject(Request request) {
    return new Slot(definition(request), Scope.PROJECT, request.caller().project(), Author.TENANT);
  }

  private static Slot global(Request request) {
    return new Slot(definition(request), Scope.GLOBAL, Slot.NOBODY, Author.PLATFORM);
  }

  private static Slot tenant(Request request) {
    UUID id = request.id("id", Kind.TENANT);
    return new Slot(definition(request), Scope.TENANT, id, Author.PLATFORM);
  }

  private static Slot project(Request request) {
    UUID id = request.id("id", Kind.PROJECT);
    return new Slot(definition(request), Scope.PROJECT, id, Author.PLATFORM);
  }

  private static PolicyDefinition definition(Request request) {
    String key = request.pathParameters().getOrDefault("key", "");
    return PolicyDefinition.of(key)
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.POLICY, key)));
  }

  // --- reading ---

  private record HoldingView(
      String key,
      String description,
      String unit,
      long value,
      String source,
      String setBy,
      long allowed) {
    static HoldingView of(Holding holding) {
      return new HoldingView(
          holding.definition().key(),
          holding.definition().meaning(),
          holding.definition().unit(),
          holding.value(),
          holding.from().map(slot -> slot.scope().text()).orElse("default"),
          holding.from().map(Slot::author).orElse(Author.PLATFORM).text(),
          holding.allowed());
    }
  }

  private record HoldingPage(List<HoldingView> items) {}

  private Reply here(Request request) {
    return Reply.json(
        200,
        new HoldingPage(policies.here(request.caller()).stream().map(HoldingView::of).toList()));
  }

  private record DefinitionView(
      String key,
      String description,
      String unit,
      String narrowestScope,
      long lowest,
      long highest,
      long value,
      String source) {
    static DefinitionView of(Holding holding) {
      PolicyDefinition definition = holding.definition();
      return new DefinitionView(
          definition.key(),
          definition.meaning(),
          definition.unit(),
          definition.narrowest().text(),
          definition.lowest(),
          definition.highest(),
          holding.value(),
          holding.from().map(slot -> slot.scope().text()).orElse("default"));
    }
  }

  private record DefinitionPage(List<DefinitionView> items) {}

  private Reply everywhere(Request request) {
    return Reply.json(
        200,
        new DefinitionPage(
            policies.everywhere(request.caller()).stream().map(DefinitionView::of).toList()));
  }

  private record ValueView(
      String key,
      String scope,
      Optional<UUID> ownerId,
      String setBy,
      long value,
      UUID setByUserId,
      Instant setAt) {
    static ValueView of(PolicyValue value) {
      Slot slot = value.slot();
      return new ValueView(
          slot.definition().key(),
          slot.scope().text(),
          Optional.of(slot.owner()).filter(_ -> slot.scope() != Scope.GLOBAL),
          slot.author().text(),
          value.value(),
          value.setBy(),
          value.setAt());
    }
  }

  private record ValuePage(List<ValueView> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<PolicyValue> page = policies.list(request.caller(), cursor(request), limit);
    return Reply.json(
        200, new ValuePage(page.items().stream().map(ValueView::of).toList(), page.next()));
  }

  private static Optional<Long> cursor(Request request) {
    try {
      return request.query("cursor").map(Long::valueOf);
    } catch (NumberFormatException e) {
      throw new Refused(Refusal.Invalid.field("cursor", "is not a cursor that we gave out"));
    }
  }

  // --- changing ---

  private Reply set(Request request, Tx tx, Slot slot) {
    Fields fields = request.fields();
    Optional<BigDecimal> number = fields.maybeNumber("value", MOST);
    if (number.filter(each -> each.stripTrailingZeros().scale() <= 0).isEmpty()) {
      fields.problem("value", "must be a whole number, and is required", "");
    }
    fields.check();
    long value = number.orElseThrow().longValueExact();
    return switch (policies.set(tx, request.caller(), slot, value)) {
      case Policies.Outcome.Set set -> Reply.json(200, ValueView.of(set.value()));
      // Answered and not thrown, so that what the audit trail has of it stays.
      case Policies.Outcome.OutOfBounds(long lowest, long highest) ->
          GpuaasErrors.refused(
              Refusal.Invalid.field("value", "must be from " + lowest + " to " + highest),
              request.correlationId());
    };
  }

  private Reply remove(Request request, Tx tx, Slot slot) {
    if (!policies.remove(tx, request.caller(), slot)) {
      throw new Refused(new Refusal.NotFound(Kind.POLICY, slot.definition().key()));
    }
    return Reply.empty(204);
  }
}
