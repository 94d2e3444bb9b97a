package gpuaas.gpuaas.allocation;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.group.Group.Whole;
import gpuaas.group.Groups;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Groups of allocations: asked for together, looked at as one, released together. */
public final class GroupRoutes {

  private static final String PATH = "/api/v1/allocation-groups";
  private static final int PAGE_MOST = 50;

  private final Groups groups;
  private final AllocationViews views;

  public GroupRoutes(Groups groups, AllocationViews views) {
    this.groups = groups;
    this.views = views;
  }

  /** What is answered. */
  public List<Route> routes() {
    return List.of(
        Route.once("POST", PATH, this::create).needing(Action.LEASE_CREATE),
        Route.get(PATH, this::list).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.LEASE_READ),
        Route.once("POST", PATH + "/{id}/release", this::release).needing(Action.LEASE_STOP));
  }

  private record GroupView(
      UUID id,
      String name,
      String status,
      int allocationsTotal,
      int gpusTotal,
      UUID orgId,
      UUID projectId,
      UUID requestedByUserId,
      Instant createdAt,
      List<AllocationViews.Allocation> allocations,
      String correlationId) {}

  private record GroupPage(List<GroupView> items, Optional<String> nextCursor) {}

  private GroupView view(Whole whole) {
    return new GroupView(
        whole.group().id(),
        whole.group().name(),
        whole.status().text(),
        whole.leases().size(),
        whole.leases().stream().mapToInt(lease -> lease.spec().want().gpus()).sum(),
        whole.group().tenant(),
        whole.group().project(),
        whole.group().requestedBy(),
        whole.group().createdAt(),
        whole.leases().stream().map(lease -> views.allocation(lease, Optional.empty())).toList(),
        whole.group().correlationId());
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = fields.optionalText("name", 63, "");
    int count = fields.integer("allocations_total", 1, Groups.LEASES_MOST);
    AllocationRequest asked = AllocationRequest.read(fields);
    fields.check();
    Whole whole = groups.request(tx, request.caller(), name, asked.spec(tx), count);
    return Reply.json(201, view(whole)).with("Location", PATH + "/" + whole.group().id());
  }

  private Reply get(Request request) {
    return Reply.json(200, view(groups.get(request.caller(), request.id("id", Kind.GROUP))));
  }

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 20, 1, PAGE_MOST);
    Page<Whole> page = groups.list(request.caller(), request.cursorId(), limit);
    return Reply.json(
        200, new GroupPage(page.items().stream().map(this::view).toList(), page.next()));
  }

  private Reply release(Request request, Tx tx) {
    return Reply.json(
        202, view(groups.release(tx, request.caller(), request.id("id", Kind.GROUP))));
  }
}
