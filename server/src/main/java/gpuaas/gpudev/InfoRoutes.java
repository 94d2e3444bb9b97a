package gpuaas.gpudev;

import gpuaas.db.Database;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What this is, and whether it is well. */
final class InfoRoutes {

  private final Database database;
  private final InstantSource clock;

  InfoRoutes(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(Route.publicGet("/", this::info), Route.publicGet("/health", this::health));
  }

  private Reply info(Request request) {
    Map<String, Object> auth = new LinkedHashMap<>();
    auth.put("aws_login", "/v1/auth/aws-login");
    auth.put("description", "Use AWS credentials to obtain an API key");
    Map<String, Object> endpoints = new LinkedHashMap<>();
    endpoints.put("jobs", "/v1/jobs");
    endpoints.put("disks", "/v1/disks");
    endpoints.put("disk_operations", "/v1/disks/{disk_name}/operations/{operation_id}");
    endpoints.put("disk_content", "/v1/disks/{disk_name}/content");
    endpoints.put("disk_rename", "/v1/disks/{disk_name}/rename");
    endpoints.put("gpu_availability", "/v1/gpu/availability");
    endpoints.put("cluster_status", "/v1/cluster/status");
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("service", "GPU Dev API");
    body.put("version", "1.0.0");
    body.put("docs", "/docs");
    body.put("health", "/health");
    body.put("auth", auth);
    body.put("endpoints", endpoints);
    return GpudevJson.reply(200, body);
  }

  /** Always 200: whoever asks reads the words. The queue is in the database. */
  private Reply health(Request request) {
    boolean well = database.isAlive();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", well ? "healthy" : "unhealthy");
    body.put("database", well ? "healthy" : "unhealthy");
    body.put("queue", well ? "healthy" : "unknown");
    body.put("timestamp", GpudevJson.time(clock.instant()));
    return GpudevJson.reply(200, body);
  }
}
