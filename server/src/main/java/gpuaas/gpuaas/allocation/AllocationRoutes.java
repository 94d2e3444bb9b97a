package gpuaas.gpuaas.allocation;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.gpuaas.allocation.AllocationViews.Meaning;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore.Filter;
import gpuaas.lease.Leases;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Allocations: ask for one, look, list, release. */
public final class AllocationRoutes {

  private static final String PATH = "/api/v1/allocations";
  private static final int PAGE_MOST = 200;

  private final Leases leases;
  private final AllocationViews views;

  public AllocationRoutes(Leases leases, AllocationViews views) {
    this.leases = leases;
    this.views = views;
  }

  /** What is answered. */
  public List<Route> routes() {
    return List.of(
        Route.onceTogether("POST", PATH, this::create).needing(Action.LEASE_CREATE),
        Route.get(PATH, this::list).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}/timeline", this::timeline).needing(Action.LEASE_READ),
        Route.once("POST", PATH + "/{id}/restart", this::restart).needing(Action.LEASE_UPDATE),
        Route.once("POST", PATH + "/{id}/release", this::release).needing(Action.LEASE_STOP));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    AllocationRequest asked = AllocationRequest.read(fields);
    fields.check();
    Lease lease = leases.request(tx, request.caller(), asked.spec(tx), Optional.empty());
    return Reply.json(201, views.allocation(lease, Optional.empty()))
        .with("Location", PATH + "/" + lease.id());
  }

  private Reply get(Request request) {
    Lease lease = leases.get(request.caller(), request.id("id", Kind.LEASE));
    return Reply.json(200, views.allocation(lease, leases.delay(lease)));
  }

  /** A page of them. */
  record AllocationPage(List<AllocationViews.Allocation> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    return Reply.json(
        200, page(leases.list(request.caller(), filter(request), request.cursorId(), limit)));
  }

  AllocationPage page(Page<Lease> page) {
    return new AllocationPage(
        page.items().stream().map(lease -> views.allocation(lease, Optional.empty())).toList(),
        page.next());
  }

  /** What the query asks for. */
  static Filter filter(Request request) {
    Filter all = Filter.ALL;
    Meaning meaning =
        request
            .query("status")
            .map(word ->
                AllocationViews.meaning(word)
                    .orElseThrow(() ->
                        new Refused(
                            Refusal.Invalid.field("status", "is not the status of an allocation"))))
            .orElse(new Meaning(all.states(), all.failed(), all.stuck()));
    return new Filter(
        all.consumer(),
        all.parents(),
        request.query("provider"),
        meaning.states(),
        meaning.failed(),
        meaning.stuck(),
        request.query("sku"),
        request.queryId("group_id"));
  }

  private Reply restart(Request request, Tx tx) {
    Lease lease = leases.restart(tx, request.caller(), request.id("id", Kind.LEASE));
    return Reply.json(202, views.allocation(lease, Optional.empty()));
  }

  private Reply release(Request request, Tx tx) {
    Lease lease = leases.stop(tx, request.caller(), request.id("id", Kind.LEASE), EndReason.ASKED);
    return Reply.json(202, views.allocation(lease, Optional.empty()));
  }

  private record TimelineItem(
      String step, Instant at, String correlationId, Map<String, String> details) {}

  private record Timeline(UUID allocationId, List<TimelineItem> items) {}

  private Reply timeline(Request request) {
    UUID id = request.id("id", Kind.LEASE);
    List<TimelineItem> items = new ArrayList<>();
    for (Event event : leases.timeline(request.caller(), id)) {
      for (String step : steps(event.type())) {
        items.add(new TimelineItem(step, event.at(), event.correlationId(), event.details()));
      }
    }
    return Reply.json(200, new Timeline(id, items));
  }

  /** What an event means in the words of the timeline. */
  private static List<String> steps(Event.Type type) {
    return switch (type) {
      case LEASE_REQUESTED -> List.of("requested");
      case LEASE_PLACED -> List.of("placement_reserved", "provisioning_started");
      case LEASE_DECLINED -> List.of("placement_declined");
      case LEASE_BOOTING -> List.of("guest_booting");
      case LEASE_RUNNING -> List.of("ssh_ready", "active");
      case LEASE_RECLAIMING -> List.of("reclaiming");
      case LEASE_FUNDS_LOW -> List.of("funds_low");
      case LEASE_BUDGET_WARNING -> List.of("budget_warning");
      case LEASE_BUDGET_EXCEEDED -> List.of("budget_exceeded");
      case LEASE_EXTENDED -> List.of("extended");
      case LEASE_ENDING_SOON -> List.of("ending_soon");
      case LEASE_IDLE_WARNING -> List.of("idle_warning");
      case LEASE_IDLE_UNKNOWN -> List.of("idle_unknown");
      case LEASE_FILES_KEPT -> List.of("files_kept");
      case LEASE_FILES_LOST -> List.of("files_lost");
      case LEASE_DISK_FILLING -> List.of("disk_filling");
      case LEASE_OUT_OF_MEMORY -> List.of("out_of_memory");
      case LEASE_GPU_LOST -> List.of("gpu_lost");
      case LEASE_FAILING -> List.of("failing");
      case LEASE_GPU_BACK -> List.of("gpu_back");
      case LEASE_RESTARTING -> List.of("restarting");
      case LEASE_STOPPING -> List.of("releasing");
      case LEASE_STOP_STUCK -> List.of("release_failed");
      case LEASE_STOP_RETRIED -> List.of("releasing");
      case LEASE_ENDED -> List.of("ended");
      case LEASE_DISMISSED -> List.of("dismissed");
    };
  }
}
