package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.db.Database;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.web.Web;
import gpuaas.web.Web.Port;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Jupyter of jobs, and their ports: what is reached in a browser. */
final class WebRoutes {

  private static final int PORT_MOST = 65_535;

  private final Database database;
  private final WebJobs web;
  private final Jobs jobs;

  WebRoutes(GpudevDialect.Parts parts, Jobs jobs) {
    this.database = parts.database();
    this.web = parts.web();
    this.jobs = jobs;
  }

  List<Route> routes() {
    return List.of(
        route("POST", "/jupyter/enable", this::enable).needing(Action.LEASE_UPDATE),
        route("POST", "/jupyter/disable", this::disable).needing(Action.LEASE_UPDATE),
        route("GET", "/ports", this::list).needing(Action.LEASE_READ),
        route("POST", "/ports", this::declare).needing(Action.LEASE_UPDATE),
        route("DELETE", "/ports/{port}", this::withdraw).needing(Action.LEASE_UPDATE));
  }

  private static Route route(String method, String end, Function<Request, Reply> work) {
    return new Route(
        method, JobRoutes.PATH + "/{id}" + end, Route.Access.CALLER, new Route.Handler.Plain(work));
  }

  private Lease find(Request request, String foreign) {
    return jobs.find(request.caller(), request.pathParameters().getOrDefault("id", ""), foreign);
  }

  private Lease own(Request request) {
    return find(request, "Not authorized to modify this job");
  }

  // --- Jupyter: of jobs that run; the answer is the same for all ---

  private Reply enable(Request request) {
    Lease lease = own(request);
    return Jobs.promise(
        database,
        request,
        "enable_jupyter",
        (tx, caller) -> {
          if (lease.state() instanceof LeaseState.Running) {
            web.webs().enableJupyter(tx, caller, lease);
          }
          return "Jupyter enable request submitted";
        });
  }

  private Reply disable(Request request) {
    Lease lease = own(request);
    return Jobs.promise(
        database,
        request,
        "disable_jupyter",
        (tx, caller) -> {
          if (lease.state() instanceof LeaseState.Running) {
            web.webs().disableJupyter(tx, caller, lease);
          }
          return "Jupyter disable request submitted";
        });
  }

  // --- ports ---

  private Reply list(Request request) {
    return ports(find(request, "You can only view your own jobs"));
  }

  private Reply ports(Lease lease) {
    Optional<Web> found = web.webs().find(lease.id());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put(
        "ports",
        found
            .map(one -> one.ports().stream().map(port -> web.view(one, port)).toList())
            .orElse(List.of()));
    return GpudevJson.reply(200, body);
  }

  private Reply declare(Request request) {
    Model body = Model.of(request);
    Optional<Integer> number = body.requiredInteger("port", 1, PORT_MOST);
    Optional<Boolean> strip = body.flag("strip_prefix");
    body.check();
    Lease lease = own(request);
    if (lease.state().isOver()) {
      throw new Halt(GpudevErrors.error(409, "The job has ended; nothing of it can be reached"));
    }
    Port port = new Port(number.orElseThrow(), strip.orElse(true));
    boolean room = database.tx(tx -> web.webs().declare(tx, request.caller(), lease, port));
    if (!room) {
      throw new Halt(
          GpudevErrors.error(
              409,
              "A job can have at most "
                  + web.webs().portsMost()
                  + " ports; withdraw one with DELETE /v1/jobs/{id}/ports/{port}"));
    }
    return GpudevJson.reply(200, web.view(web.webs().find(lease.id()).orElseThrow(), port));
  }

  private Reply withdraw(Request request) {
    String text = request.pathParameters().getOrDefault("port", "");
    Lease lease = own(request);
    boolean was =
        text.matches("[1-9][0-9]{0,4}")
            && database.tx(
                tx -> web.webs().withdraw(tx, request.caller(), lease, Integer.parseInt(text)));
    if (!was) {
      throw new Halt(
          GpudevErrors.error(404, "Port " + GpudevErrors.quoted(text) + " is not declared"));
    }
    return ports(lease);
  }
}
