package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.catalog.Sku;
import gpuaas.catalog.SkuStore;
import gpuaas.catalog.Want;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.Leases;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Allocations: ask for one, look, list, release. */
final class AllocationRoutes {

  private static final String PATH = "/api/v1/allocations";
  private static final int KEYS_MOST = 50;
  private static final int PAGE_MOST = 200;
  private static final int IDLE_CPU_PERCENT = 5;
  private static final BigDecimal PRICE_MOST = BigDecimal.valueOf(1_000_000);

  private final Leases leases;
  private final GpuaasViews views;

  AllocationRoutes(Leases leases, GpuaasViews views) {
    this.leases = leases;
    this.views = views;
  }

  List<Route> routes() {
    return List.of(
        Route.onceTogether("POST", PATH, this::create).needing(Action.LEASE_CREATE),
        Route.get(PATH, this::list).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}/timeline", this::timeline).needing(Action.LEASE_READ),
        Route.once("POST", PATH + "/{id}/release", this::release).needing(Action.LEASE_STOP));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String skuName = fields.text("sku", 63);
    int gpuCount = fields.integer("gpus_total", 1, 1024);
    String region = fields.text("region_code", 63);
    List<UUID> sshKeys = fields.ids("ssh_key_ids", KEYS_MOST);
    String image = fields.optionalText("image", 255, "");
    Optional<Duration> term =
        fields.maybeInteger("duration_minutes", 1, 525_600).map(Duration::ofMinutes);
    Guards guards = guards(fields);
    fields.check();
    Sku sku =
        tx.recall(List.of("sku", skuName), own -> SkuStore.find(own, skuName))
            .orElseThrow(
                () -> new Refused(Refusal.Invalid.field("sku", "is not in the catalogue")));
    if (!sku.allowedGpuCounts().contains(gpuCount)) {
      String allowed =
          "it comes with " + sku.allowedGpuCounts().toString().replaceAll("[\\[\\]]", "") + " GPUs";
      throw new Refused(new Refusal.NeverFits(skuName, allowed));
    }
    Want want =
        new Want(
            skuName, sku.gpuModel(), gpuCount, Optional.of(new Region(region)), Tier.ON_DEMAND);
    LeaseSpec spec =
        new LeaseSpec(
            want, image, sshKeys, Map.of(), term, LeaseSpec.WhenFull.QUEUE, Duration.ZERO, guards);
    Lease lease = leases.request(tx, request.caller(), spec, Optional.empty());
    return Reply.json(201, views.allocation(lease, Optional.empty()))
        .with("Location", PATH + "/" + lease.id());
  }

  private static Guards guards(Fields fields) {
    Optional<Long> priceMost =
        fields
            .maybeNumber("max_price_per_hour", PRICE_MOST)
            .map(dollars ->
                dollars.movePointRight(6).setScale(0, RoundingMode.FLOOR).longValueExact());
    Optional<Integer> idleMinutes = fields.maybeInteger("idle_stop_minutes", 1, 10_080);
    Optional<Integer> idlePercent = fields.maybeInteger("idle_cpu_percent", 1, 100);
    if (idlePercent.isPresent() && idleMinutes.isEmpty()) {
      fields.problem("idle_cpu_percent", "is only for use with idle_stop_minutes", 0);
    }
    return new Guards(
        priceMost,
        idleMinutes.map(minutes ->
            new Guards.Idle(Duration.ofMinutes(minutes), idlePercent.orElse(IDLE_CPU_PERCENT))));
  }

  private Reply get(Request request) {
    Lease lease = leases.get(request.caller(), request.id("id", Kind.LEASE));
    return Reply.json(200, views.allocation(lease, leases.delay(lease)));
  }

  private record AllocationPage(List<GpuaasViews.Allocation> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    Optional<String> status = request.query("status");
    List<String> states = status.map(GpuaasViews::states).orElse(List.of());
    if (status.isPresent() && states.isEmpty()) {
      throw new Refused(Refusal.Invalid.field("status", "is not the status of an allocation"));
    }
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    List<GpuaasViews.Allocation> items = new ArrayList<>();
    Page<Lease> page = leases.list(request.caller(), states, request.cursorId(), limit);
    for (Lease lease : page.items()) {
      if (status.isEmpty() || views.status(lease).equals(status.get())) {
        items.add(views.allocation(lease, Optional.empty()));
      }
    }
    return Reply.json(200, new AllocationPage(items, page.next()));
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
      case LEASE_STOPPING -> List.of("releasing");
      case LEASE_ENDED -> List.of("ended");
      case LEASE_DISMISSED -> List.of("dismissed");
    };
  }
}
