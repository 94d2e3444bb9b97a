package gpuaas.gpuai;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.catalog.GpuType;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.util.List;
import java.util.Optional;

/** The kinds of GPUs, for everybody. */
final class GpuTypeRoutes {

  private final String mount;
  private final GpuTypes gpuTypes;
  private final Lists lists;

  GpuTypeRoutes(String mount, GpuTypes gpuTypes, Lists lists) {
    this.mount = mount;
    this.gpuTypes = gpuTypes;
    this.lists = lists;
  }

  List<Route> routes() {
    return List.of(Route.publicGet(mount + "/gpu-types", this::list));
  }

  private record GpuTypeView(
      String gpuType,
      int vramGb,
      @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> architecture) {
    static GpuTypeView of(GpuType type) {
      return new GpuTypeView(type.name(), type.memoryGb(), type.architecture());
    }
  }

  private Reply list(Request request) {
    return lists.pageOfAll(request, "", gpuTypes.list(), GpuTypeView::of, GpuType::name);
  }
}
