package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.ledger.Budget;
import gpuaas.ledger.Budget.Period;
import gpuaas.ledger.Budget.Scope;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** Funds, and budgets: everybody sees their own, administrators set them. */
final class MoneyRoutes {

  private static final String CREDITS = "/api/v1/credits";
  private static final String BUDGETS = "/api/v1/budgets";
  private static final int PAGE = 50;
  private static final int PAGE_MOST = 200;
  private static final BigDecimal MOST = BigDecimal.valueOf(1_000_000_000_000_000_000L);

  private final Ledger ledger;
  private final Budgets budgets;

  MoneyRoutes(Ledger ledger, Budgets budgets) {
    this.ledger = ledger;
    this.budgets = budgets;
  }

  List<Route> routes() {
    return List.of(
        Route.get(CREDITS, this::credits).needing(Action.BILLING_READ),
        Route.get(BUDGETS, this::list).needing(Action.BILLING_READ),
        put("/projects", Scope.PROJECT),
        put("/api-keys", Scope.API_KEY),
        delete("/projects", Scope.PROJECT),
        delete("/api-keys", Scope.API_KEY));
  }

  private Route put(String whose, Scope scope) {
    return Route.once(
            "PUT", BUDGETS + whose + "/{id}/{period}", (request, tx) -> set(request, tx, scope))
        .needing(Action.BILLING_WRITE);
  }

  private Route delete(String whose, Scope scope) {
    return Route.once(
            "DELETE",
            BUDGETS + whose + "/{id}/{period}",
            (request, tx) -> delete(request, tx, scope))
        .needing(Action.BILLING_WRITE);
  }

  private record CreditsView(
      String currency, long fundsMicros, long heldMicros, long spentMicros) {}

  private record BudgetView(
      UUID id,
      String scope,
      UUID ownerId,
      String period,
      Optional<Long> mostMicros,
      Optional<Long> mostGpuSeconds,
      long spentMicros,
      long heldMicros,
      long usedGpuSeconds,
      String currency) {}

  private record BudgetPage(List<BudgetView> items, Optional<String> nextCursor) {}

  private Reply credits(Request request) {
    Ledger.Balance balance = ledger.balance(request.caller());
    return Reply.json(
        200,
        new CreditsView(
            balance.currency(),
            balance.fundsMicros(),
            balance.heldMicros(),
            balance.spentMicros()));
  }

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", PAGE, 1, PAGE_MOST);
    Page<Budgets.Standing> page = budgets.list(request.caller(), request.cursorId(), limit);
    return Reply.json(
        200, new BudgetPage(page.items().stream().map(this::view).toList(), page.next()));
  }

  private BudgetView view(Budgets.Standing standing) {
    Budget budget = standing.budget();
    return new BudgetView(
        budget.id(),
        budget.scope().name().toLowerCase(Locale.ROOT),
        budget.owner(),
        budget.period().name().toLowerCase(Locale.ROOT),
        budget.mostMicros(),
        budget.mostGpuSeconds(),
        standing.spentMicros(),
        standing.heldMicros(),
        standing.usedGpuSeconds(),
        ledger.rules().currency());
  }

  private Reply set(Request request, Tx tx, Scope scope) {
    UUID owner = request.id("id", kind(scope));
    Period period = period(request);
    Fields fields = request.fields();
    Optional<Long> mostMicros = whole(fields, "most_micros");
    Optional<Long> mostGpuSeconds = whole(fields, "most_gpu_seconds");
    fields.check();
    Budgets.Standing standing =
        budgets.setAnywhere(tx, request.caller(), scope, owner, period, mostMicros, mostGpuSeconds);
    return Reply.json(200, view(standing));
  }

  private Reply delete(Request request, Tx tx, Scope scope) {
    UUID owner = request.id("id", kind(scope));
    if (!budgets.deleteAnywhere(tx, request.caller(), scope, owner, period(request))) {
      throw new Refused(new Refusal.NotFound(Kind.BUDGET, owner.toString()));
    }
    return Reply.empty(204);
  }

  private static Kind kind(Scope scope) {
    return scope == Scope.PROJECT ? Kind.PROJECT : Kind.API_KEY;
  }

  private static Period period(Request request) {
    return switch (request.pathParameters().getOrDefault("period", "")) {
      case "total" -> Period.TOTAL;
      case "month" -> Period.MONTH;
      default -> throw new Refused(Refusal.Invalid.field("period", "must be total or month"));
    };
  }

  private static Optional<Long> whole(Fields fields, String name) {
    Optional<BigDecimal> number = fields.maybeNumber(name, MOST);
    if (number.filter(each -> each.stripTrailingZeros().scale() > 0).isPresent()) {
      return fields.problem(name, "must be a whole number", Optional.empty());
    }
    return number.map(BigDecimal::longValueExact);
  }
}
