package gpuaas.gpudev;

import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The contract of this API, and two ways to read it in a browser, without a word from elsewhere.
 */
final class DocumentRoutes {

  private static final String WEBJARS = "/META-INF/resources/webjars/";
  private static final String SWAGGER = WEBJARS + "swagger-ui/5.34.1/";
  private static final String REDOC = WEBJARS + "redoc/2.5.1/";
  private static final String SCRIPT = "text/javascript; charset=utf-8";

  private static final String SWAGGER_PAGE =
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>GPU Dev API</title>
      <link rel="stylesheet" href="/docs/swagger-ui.css"></head>
      <body><div id="swagger-ui"></div>
      <script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
      </body></html>
      """;
  private static final String SWAGGER_START =
      "window.ui = SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui', deepLinking:"
          + " true, persistAuthorization: false});\n";
  private static final String REDOC_PAGE =
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>GPU Dev API</title></head>
      <body><redoc spec-url="/openapi.json" disable-search="true"></redoc>
      <script src="/redoc/redoc.standalone.js"></script></body></html>
      """;

  /** Pages may run what this server gives them, and nothing else. */
  private static final String POLICY =
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src"
          + " blob:; frame-ancestors 'none'";

  List<Route> routes() {
    return List.of(
        Route.publicGet("/openapi.json", _ -> file("application/json", "gpudev.json")),
        Route.publicGet("/docs", _ -> page(SWAGGER_PAGE)),
        Route.publicGet("/docs/{file}", this::swagger),
        Route.publicGet("/redoc", _ -> page(REDOC_PAGE)),
        Route.publicGet(
            "/redoc/redoc.standalone.js", _ -> file(SCRIPT, REDOC + "redoc.standalone.js")));
  }

  private Reply swagger(Request request) {
    return switch (request.pathParameters().getOrDefault("file", "")) {
      case "start.js" -> Reply.text(200, SCRIPT, SWAGGER_START);
      case "swagger-ui.css" -> file("text/css; charset=utf-8", SWAGGER + "swagger-ui.css");
      case "swagger-ui-bundle.js" -> file(SCRIPT, SWAGGER + "swagger-ui-bundle.js");
      default -> GpudevErrors.misdirected(404);
    };
  }

  private static Reply page(String text) {
    return Reply.text(200, "text/html; charset=utf-8", text)
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff");
  }

  private static Reply file(String type, String name) {
    try (InputStream file = DocumentRoutes.class.getResourceAsStream(name)) {
      if (file == null) {
        throw new IllegalStateException("not packaged: " + name);
      }
      return Reply.text(200, type, new String(file.readAllBytes(), StandardCharsets.UTF_8))
          .with("Cache-Control", "public, max-age=3600");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
