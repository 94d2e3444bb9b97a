package gpuaas.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Supplier;

/** An API's contract to click through in a browser, without a word from elsewhere. */
public final class Explorer {

  private static final String WEBJARS = "/META-INF/resources/webjars/";
  private static final String SWAGGER = WEBJARS + "swagger-ui/5.34.1/";
  private static final String SCRIPT = "text/javascript; charset=utf-8";

  /** Pages may run what this server gives them, and nothing else. */
  private static final String POLICY =
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src"
          + " blob:; frame-ancestors 'none'";

  private final String title;
  private final String contract;
  private final Supplier<Reply> notThere;

  /**
   * @param contract the path of the OpenAPI document
   * @param notThere how the dialect says that there is no such file
   */
  public Explorer(String title, String contract, Supplier<Reply> notThere) {
    this.title = title;
    this.contract = contract;
    this.notThere = notThere;
  }

  /** The page at {@code /docs}, and what it is made of. */
  public List<Route> routes() {
    return List.of(
        Route.publicGet("/docs", _ -> page(swaggerPage())),
        Route.publicGet("/docs/{file}", this::swagger));
  }

  private String swaggerPage() {
    return """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>%s</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css"></head>
    <body><div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
    </body></html>
    """
        .formatted(title);
  }

  private Reply swagger(Request request) {
    return switch (request.pathParameters().getOrDefault("file", "")) {
      case "start.js" ->
          Reply.text(
              200,
              SCRIPT,
              "window.ui = SwaggerUIBundle({url: '"
                  + contract
                  + "', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization:"
                  + " false});\n");
      case "swagger-ui.css" -> file("text/css; charset=utf-8", SWAGGER + "swagger-ui.css");
      case "swagger-ui-bundle.js" -> file(SCRIPT, SWAGGER + "swagger-ui-bundle.js");
      default -> notThere.get();
    };
  }

  /** A page that runs nothing that is not ours. */
  public static Reply page(String text) {
    return Reply.text(200, "text/html; charset=utf-8", text)
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff");
  }

  /** A script of a library that is packaged with us, by its path below the web jars. */
  public static Reply script(String path) {
    return file(SCRIPT, WEBJARS + path);
  }

  /** A file that is packaged with us. */
  public static Reply file(String type, String name) {
    try (InputStream file = Explorer.class.getResourceAsStream(name)) {
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
