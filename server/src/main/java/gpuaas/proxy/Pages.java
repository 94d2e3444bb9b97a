package gpuaas.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.proxy.HeadFields.Field;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Answers of the proxy itself: what is wrong, and what to do about it. */
final class Pages {

  private static final Map<Integer, String> REASONS =
      Map.ofEntries(
          Map.entry(307, "Temporary Redirect"),
          Map.entry(302, "Found"),
          Map.entry(400, "Bad Request"),
          Map.entry(401, "Unauthorized"),
          Map.entry(403, "Forbidden"),
          Map.entry(404, "Not Found"),
          Map.entry(405, "Method Not Allowed"),
          Map.entry(408, "Request Timeout"),
          Map.entry(409, "Conflict"),
          Map.entry(429, "Too Many Requests"),
          Map.entry(431, "Request Header Fields Too Large"),
          Map.entry(500, "Internal Server Error"),
          Map.entry(501, "Not Implemented"),
          Map.entry(502, "Bad Gateway"),
          Map.entry(503, "Service Unavailable"),
          Map.entry(504, "Gateway Timeout"));

  private Pages() {}

  /**
   * An answer.
   *
   * @param title what is wrong
   * @param advice what to do
   */
  record Page(int status, String title, String advice, List<Field> more) {
    Page(int status, String title, String advice) {
      this(status, title, advice, List.of());
    }
  }

  /** To another address. */
  static Page redirect(int status, String location, List<Field> more) {
    List<Field> fields = new ArrayList<>(more);
    fields.add(new Field("Location", location));
    return new Page(status, "It is elsewhere", "Follow the address.", fields);
  }

  static void write(Wire to, Page page, boolean html, boolean bodiless, boolean keepAlive)
      throws IOException {
    byte[] body = (html ? html(page) : json(page)).getBytes(UTF_8);
    List<Field> fields = new ArrayList<>(page.more());
    fields.add(new Field("Content-Type", html ? "text/html; charset=utf-8" : "application/json"));
    fields.add(new Field("Content-Length", Integer.toString(body.length)));
    fields.add(new Field("Cache-Control", "no-store"));
    fields.add(new Field("Referrer-Policy", "no-referrer"));
    fields.add(new Field("X-Content-Type-Options", "nosniff"));
    fields.add(
        new Field("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"));
    fields.add(new Field("Connection", keepAlive ? "keep-alive" : "close"));
    to.write(
        HeadFields.written(
            "HTTP/1.1 " + page.status() + " " + REASONS.getOrDefault(page.status(), "Error"),
            fields));
    if (!bodiless) {
      to.write(body, 0, body.length);
    }
  }

  private static String html(Page page) {
    return """
    <!doctype html><html lang="en"><head><meta charset="utf-8"><title>%1$s</title>
    <meta name="viewport" content="width=device-width"><style>
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 15vh auto; padding: 0 1em;
      color: #1d2733; background: #f7f8fa }
    h1 { font-size: 1.4em } small { color: #66727f }
    </style></head><body><h1>%1$s</h1><p>%2$s</p><small>%3$d, from the GPUaaS proxy</small></body></html>
    """
        .formatted(escaped(page.title()), escaped(page.advice()), page.status());
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String json(Page page) {
    return gpuaas.http.Json.write(Map.of("error", page.title(), "detail", page.advice()));
  }
}
