package gpuaas.gpudev;

import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Explorer;
import gpuaas.http.Route;
import java.util.List;
import java.util.stream.Stream;

/** The contract of this API, and two ways to read it in a browser. */
final class DocumentRoutes {

  private static final String REDOC_PAGE =
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>GPU Dev API</title></head>
      <body><redoc spec-url="/openapi.json" disable-search="true"></redoc>
      <script src="/redoc/redoc.standalone.js"></script></body></html>
      """;

  private final Explorer explorer =
      new Explorer("GPU Dev API", "/openapi.json", () -> GpudevErrors.misdirected(404));

  List<Route> routes() {
    return Stream.concat(
            explorer.routes().stream(),
            Stream.of(
                Route.publicGet(
                    "/openapi.json",
                    _ -> Explorer.file("application/json", "/gpuaas/gpudev/gpudev.json")),
                Route.publicGet("/redoc", _ -> Explorer.page(REDOC_PAGE)),
                Route.publicGet(
                    "/redoc/redoc.standalone.js",
                    _ -> Explorer.script("redoc/2.5.1/redoc.standalone.js"))))
        .toList();
  }
}
