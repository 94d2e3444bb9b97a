package gpuaas.shopper;

import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Is it alive, is it ready, and how is it doing? */
final class HealthRoutes {

  private final BooleanSupplier ready;
  private final PrometheusMeterRegistry metrics;
  private final InstantSource clock;

  /**
   * @param ready false while the sweep at the start goes on, and when the database is away
   */
  HealthRoutes(BooleanSupplier ready, PrometheusMeterRegistry metrics, InstantSource clock) {
    this.ready = ready;
    this.metrics = metrics;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/health", this::health),
        Route.publicGet("/ready", this::ready),
        Route.get(
            "/metrics",
            _ -> Reply.text(200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape())));
  }

  private Reply health(Request request) {
    boolean isReady = ready.getAsBoolean();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", isReady ? "ok" : "unavailable");
    body.put("timestamp", clock.instant());
    Map<String, String> services = new LinkedHashMap<>();
    services.put("lifecycle", isReady ? "running" : "stopped");
    services.put("inventory", "ok");
    services.put("ready", Boolean.toString(isReady));
    body.put("services", services);
    return ShopperJson.reply(isReady ? 200 : 503, body);
  }

  private Reply ready(Request request) {
    boolean isReady = ready.getAsBoolean();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("ready", isReady);
    body.put("timestamp", clock.instant());
    return ShopperJson.reply(isReady ? 200 : 503, body);
  }
}
