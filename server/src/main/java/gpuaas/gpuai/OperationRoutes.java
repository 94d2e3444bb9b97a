package gpuaas.gpuai;

import gpuaas.base.Action;
import gpuaas.base.Refusal.Kind;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.operation.Operations;
import java.util.List;

/** Operations: how far a request has come. */
final class OperationRoutes {

  private final String mount;
  private final Operations operations;
  private final GpuaiViews views;

  OperationRoutes(String mount, Operations operations, GpuaiViews views) {
    this.mount = mount;
    this.operations = operations;
    this.views = views;
  }

  List<Route> routes() {
    return List.of(Route.get(mount + "/operations/{id}", this::get).needing(Action.LEASE_READ));
  }

  private Reply get(Request request) {
    return Reply.json(
        200, views.operation(operations.get(request.caller(), request.id("id", Kind.OPERATION))));
  }
}
