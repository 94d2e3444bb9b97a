package gpuaas.shopper;

import gpuaas.base.Action;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Is it alive, is it ready, and how is it doing? */
final class HealthRoutes {

  private final ShopperDialect.Parts parts;

  HealthRoutes(ShopperDialect.Parts parts) {
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/health", this::health),
        Route.publicGet("/ready", this::ready),
        Route.get("/metrics", this::metrics).needing(Action.CATALOG_READ));
  }

  private Reply metrics(Request request) {
    parts.metrics().refresh(parts.leases());
    return Reply.text(200, "text/plain; version=0.0.4; charset=utf-8", parts.registry().scrape());
  }

  private Reply health(Request request) {
    boolean isReady = parts.ready().getAsBoolean();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", isReady ? "ok" : "unavailable");
    body.put("timestamp", parts.clock().instant());
    Map<String, String> services = new LinkedHashMap<>();
    services.put("lifecycle", isReady ? "running" : "stopped");
    services.put("inventory", "ok");
    services.put("ready", Boolean.toString(isReady));
    body.put("services", services);
    return ShopperJson.reply(isReady ? 200 : 503, body);
  }

  private Reply ready(Request request) {
    boolean isReady = parts.ready().getAsBoolean();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("ready", isReady);
    body.put("timestamp", parts.clock().instant());
    return ShopperJson.reply(isReady ? 200 : 503, body);
  }
}
