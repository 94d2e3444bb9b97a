package gpuaas.gpuaas;

import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Is it alive, is it ready, and how is it doing? For everybody who can reach the listener. */
final class HealthRoutes {

  private final BooleanSupplier ready;
  private final Supplier<List<String>> warnings;
  private final PrometheusMeterRegistry metrics;

  /**
   * @param ready asks the database and whether the first sweep is over
   * @param warnings what who runs this should know though it is ready
   */
  HealthRoutes(
      BooleanSupplier ready, Supplier<List<String>> warnings, PrometheusMeterRegistry metrics) {
    this.ready = ready;
    this.warnings = warnings;
    this.metrics = metrics;
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet("/healthz", _ -> Reply.json(200, Map.of("status", "ok"))),
        Route.publicGet("/readyz", this::ready),
        Route.publicGet("/metrics", this::metrics));
  }

  private Reply ready(Request request) {
    if (!ready.getAsBoolean()) {
      return Reply.json(503, Map.of("status", "not_ready")).with("Retry-After", "1");
    }
    List<String> known = warnings.get();
    return Reply.json(
        200,
        known.isEmpty() ? Map.of("status", "ready") : Map.of("status", "ready", "warnings", known));
  }

  private Reply metrics(Request request) {
    return Reply.text(200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape());
  }
}
