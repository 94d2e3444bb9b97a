package gpuaas.gpuaas.wire;

import gpuaas.http.Explorer;
import gpuaas.http.Route;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The contract of this API, a way to click through it, and every code that it says no with. */
public final class DocumentRoutes {

  private static final String ERRORS_PAGE =
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>Error codes</title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }
      table { border-collapse: collapse; width: 100% }
      th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid #d8dee6 }
      code { font-size: .9rem } tr:target { background: #fff6d6 } a { color: inherit }
      </style></head><body>
      <h1>Error codes</h1>
      <p>Every no is a JSON object with <code>code</code>, <code>message</code>, <code>correlation_id</code> and
      <code>details</code>. Go by status and code, never by the message. A code does not change; new ones may come.</p>
      <table><thead><tr><th>Code</th><th>Status</th><th>When, and what to do</th></tr></thead><tbody>
      ROWS</tbody></table></body></html>
      """;

  private final Explorer explorer =
      new Explorer("GPUaaS API", "/openapi.yaml", () -> GpuaasErrors.misdirected(404, ""));

  /** The pages and files; anybody may read them. */
  public List<Route> routes() {
    return Stream.concat(
            explorer.routes().stream(),
            Stream.of(
                Route.publicGet(
                    "/openapi.yaml",
                    _ -> Explorer.file("application/yaml", "/gpuaas/gpuaas/gpuaas.yaml")),
                Route.publicGet("/errors", _ -> Explorer.page(errors()))))
        .toList();
  }

  private static String errors() {
    return ERRORS_PAGE.replace(
        "ROWS",
        Arrays.stream(ErrorCode.values())
            .map(code ->
                "<tr id=\"%s\"><td><a href=\"#%s\"><code>%s</code></a></td><td>%d</td><td>%s</td></tr>%n"
                    .formatted(code.text(), code.text(), code.text(), code.status(), code.when()))
            .collect(Collectors.joining()));
  }
}
