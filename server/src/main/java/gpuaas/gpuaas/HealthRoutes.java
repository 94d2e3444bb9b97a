package gpuaas.gpuaas;

import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Is it alive, is it ready, and how is it doing? For everybody who can reach the listener. */
final class HealthRoutes {

  private final BooleanSupplier ready;
  private final PrometheusMeterRegistry metrics;

  /**
   * @param ready asks the database and whether the first sweep is over
   */
  HealthRoutes(BooleanSupplier ready, PrometheusMeterRegistry metrics) {
    this.ready = ready;
    this.metrics = metrics;
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/healthz", _ -> Reply.json(200, Map.of("status", "ok"))),
        Route.publicGet("/readyz", this::ready),
        Route.publicGet("/metrics", this::metrics));
  }

  private Reply ready(Request request) {
    return ready.getAsBoolean()
        ? Reply.json(200, Map.of("status", "ready"))
        : Reply.json(503, Map.of("status", "not_ready")).with("Retry-After", "1");
  }

  private Reply metrics(Request request) {
    return Reply.text(200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape());
  }
}
