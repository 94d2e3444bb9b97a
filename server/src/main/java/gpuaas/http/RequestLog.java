package gpuaas.http;

import gpuaas.base.Caller;
import gpuaas.observe.Tracing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** What every line that is logged for a request says of it, and the one line that sums it up. */
final class RequestLog implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(RequestLog.class);
  private static final int PATH_LENGTH_MOST = 500;
  private static final int ID_LENGTH_MOST = 100;
  private static final List<String> FIELDS =
      List.of(
          "service",
          "correlation_id",
          "trace_id",
          "span_id",
          "org_id",
          "project_id",
          "resource_name",
          "error_code");

  /** A collection and the name of one of its members: {@code allocations/{id}}. */
  private static final Pattern MEMBER = Pattern.compile("([a-z-]+)/\\{([a-z_]+)}");

  private final Request request;
  private final boolean quiet;

  /**
   * @param quiet without the line that sums it up
   */
  RequestLog(Dialect dialect, Request request, Optional<Tracing.Ids> trace, boolean quiet) {
    this.request = request;
    this.quiet = quiet;
    trace.ifPresent(ids -> {
      MDC.put("trace_id", ids.trace());
      MDC.put("span_id", ids.span());
    });
    MDC.put("service", dialect.name());
    MDC.put("correlation_id", request.correlationId());
  }

  /** It is known who asks. */
  void knows(Caller caller, Route route) {
    MDC.put("org_id", caller.tenant().toString());
    MDC.put("project_id", caller.project().toString());
    resource(route)
        .ifPresent(resource -> {
          String owner = caller.tenant() + ":" + caller.project();
          MDC.put("resource_name", "gpuaas:cloud:global:" + owner + ":" + resource);
        });
  }

  /** The last thing in the path that has a name, such as {@code gpuaas/allocation:ID}. */
  private Optional<String> resource(Route route) {
    Matcher matcher = MEMBER.matcher(route.path());
    Optional<String> last = Optional.empty();
    while (matcher.find()) {
      String kind = matcher.group(1).replaceFirst("s$", "");
      String id = request.pathParameters().getOrDefault(matcher.group(2), "");
      last = Optional.of("gpuaas/" + kind + ":" + encoded(id));
    }
    return last;
  }

  private static String encoded(String id) {
    StringBuilder text = new StringBuilder();
    for (byte each : id.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (each & 0xff);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || "-_.~".indexOf(c) >= 0;
      text.append(plain ? String.valueOf(c) : "%%%02X".formatted((int) c));
    }
    return text.substring(0, Math.min(ID_LENGTH_MOST, text.length()));
  }

  /** It was answered. */
  void answered(Reply reply, Duration took) {
    reply.errorCode().ifPresent(code -> MDC.put("error_code", code));
    if (!quiet) {
      log.info(
          "{} {} {} {} ms",
          request.method(),
          request.path().substring(0, Math.min(PATH_LENGTH_MOST, request.path().length())),
          reply.status(),
          took.toMillis());
    }
  }

  /** What comes next on this thread is of something else. */
  @Override
  public void close() {
    FIELDS.forEach(MDC::remove);
  }
}
