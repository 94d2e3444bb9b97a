package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.capacity.Cluster;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.Leases;
import gpuaas.spi.Gpu;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What our own machines have, and what is wanted of them; of everybody's, as the original does. */
final class ClusterRoutes {

  private final Cluster cluster;
  private final Leases leases;
  private final InstantSource clock;

  ClusterRoutes(Cluster cluster, Leases leases, InstantSource clock) {
    this.cluster = cluster;
    this.leases = leases;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/v1/gpu/availability", this::availability).needing(Action.CATALOG_READ),
        Route.get("/v1/cluster/status", this::status).needing(Action.CATALOG_READ));
  }

  private Map<String, Map<String, Object>> byType(Caller caller) {
    Map<String, Map<String, Object>> types = new TreeMap<>();
    for (Cluster.ModelUse use : cluster.models(caller)) {
      String type = GpuTypes.ofModel(use.model());
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("gpu_type", type);
      row.put("total", use.total());
      row.put("available", use.total() - use.held());
      row.put("in_use", use.held());
      row.put("queued", use.wanted());
      row.put("max_per_node", Gpu.isCpuPlace(use.model()) ? 0 : use.mostPerNode());
      types.put(type, row);
    }
    return types;
  }

  private Reply availability(Request request) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("availability", byType(request.caller()));
    body.put("timestamp", GpudevJson.time(clock.instant()));
    return GpudevJson.reply(200, body);
  }

  private Reply status(Request request) {
    Map<String, Map<String, Object>> types = byType(request.caller());
    List<LeaseListStore.Count> counts = leases.counts();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("total_gpus", sum(types, "total"));
    body.put("available_gpus", sum(types, "available"));
    body.put("in_use_gpus", sum(types, "in_use"));
    body.put("queued_gpus", sum(types, "queued"));
    body.put("active_reservations", count(counts, "running"));
    body.put("preparing_reservations", count(counts, "provisioning") + count(counts, "booting"));
    body.put("queued_reservations", count(counts, "waiting"));
    body.put("pending_reservations", 0);
    body.put("by_gpu_type", types);
    body.put("timestamp", GpudevJson.time(clock.instant()));
    return GpudevJson.reply(200, body);
  }

  private static int sum(Map<String, Map<String, Object>> types, String what) {
    return types.values().stream().mapToInt(row -> (Integer) row.getOrDefault(what, 0)).sum();
  }

  private static int count(List<LeaseListStore.Count> counts, String state) {
    return counts.stream()
        .filter(count -> count.state().equals(state))
        .mapToInt(LeaseListStore.Count::leases)
        .sum();
  }
}
