package gpuaas.observe;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A span for each request, sent to a collector in the background. While the collector is away spans
 * are dropped, and a warning is logged now and then; no request waits for it.
 */
public final class Tracing implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Tracing.class);
  private static final Duration EXPORT_LIMIT = Duration.ofSeconds(10);
  private static final Duration LAST_EXPORT_LIMIT = Duration.ofSeconds(3);
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> SERVICE = AttributeKey.stringKey("service.name");
  private static final AttributeKey<String> LISTENER = AttributeKey.stringKey("gpuaas.service");
  private static final AttributeKey<String> CORRELATION =
      AttributeKey.stringKey("gpuaas.correlation_id");

  private final Optional<SdkTracerProvider> provider;
  private final Optional<Tracer> tracer;

  private Tracing(Optional<SdkTracerProvider> provider) {
    this.provider = provider;
    this.tracer = provider.map(known -> known.get("gpuaas"));
  }

  /**
   * Where spans go.
   *
   * @param endpoint of the collector, for OTLP over HTTP; empty: there are no spans
   * @param exportEvery how long a span waits for others to go with it
   */
  public record Rules(Optional<URI> endpoint, Duration exportEvery) {}

  /** Begins to send, if there is somewhere to send to. */
  public static Tracing open(Rules rules) {
    return new Tracing(rules.endpoint().map(endpoint -> provider(endpoint, rules.exportEvery())));
  }

  private static SdkTracerProvider provider(URI endpoint, Duration every) {
    OtlpHttpSpanExporter exporter =
        OtlpHttpSpanExporter.builder()
            .setEndpoint(traces(endpoint).toString())
            .setTimeout(EXPORT_LIMIT)
            .build();
    return SdkTracerProvider.builder()
        .setResource(Resource.getDefault().toBuilder().put(SERVICE, "gpuaas-api").build())
        .addSpanProcessor(
            BatchSpanProcessor.builder(new Warning(exporter, endpoint))
                .setScheduleDelay(every)
                .build())
        .build();
  }

  /** Says that spans are lost, and says it seldom. */
  private static final class Warning implements SpanExporter {
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final SpanExporter exporter;
    private final URI endpoint;
    private long lost;
    private @Nullable Long warnedNanos;

    Warning(SpanExporter exporter, URI endpoint) {
      this.exporter = exporter;
      this.endpoint = endpoint;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      int count = spans.size();
      CompletableResultCode result = exporter.export(spans);
      return result.whenComplete(() -> {
        if (!result.isSuccess()) {
          lost(count);
        }
      });
    }

    private synchronized void lost(int spans) {
      lost += spans;
      long now = System.nanoTime();
      if (warnedNanos == null || now - warnedNanos > PAUSE.toNanos()) {
        warnedNanos = now;
        log.warn("traces do not reach {}: {} spans are lost so far", endpoint, lost);
      }
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  /** As collectors have it: the address of all of it, or of its traces. */
  private static URI traces(URI endpoint) {
    String path = endpoint.getPath();
    return path == null || path.isEmpty() || path.equals("/")
        ? endpoint.resolve("/v1/traces")
        : endpoint;
  }

  /** What is known of a request when it begins. */
  public record Started(
      String service,
      String method,
      String route,
      Map<String, String> headers,
      String correlationId) {}

  /** A request that is being answered. */
  public sealed interface Ongoing {
    /** The ids for logs: of the trace and of the span; empty: there is none. */
    Optional<Ids> ids();

    /** It was answered. */
    void end(int status);
  }

  /** Ids as they are written. */
  public record Ids(String trace, String span) {}

  /** Nobody wants to know. */
  private record Untold() implements Ongoing {
    @Override
    public Optional<Ids> ids() {
      return Optional.empty();
    }

    @Override
    public void end(int status) {
      // nobody is told
    }
  }

  private record Told(Span span) implements Ongoing {
    @Override
    public Optional<Ids> ids() {
      return Optional.of(
          new Ids(span.getSpanContext().getTraceId(), span.getSpanContext().getSpanId()));
    }

    @Override
    public void end(int status) {
      span.setAttribute(STATUS, (long) status);
      if (status >= 500) {
        span.setStatus(StatusCode.ERROR);
      }
      span.end();
    }
  }

  /**
   * A request came. A {@code traceparent} that it brought is gone on with, if it is well formed.
   */
  public Ongoing begin(Started started) {
    return tracer
        .<Ongoing>map(known ->
            new Told(
                known
                    .spanBuilder(started.method() + " " + started.route())
                    .setSpanKind(SpanKind.SERVER)
                    .setParent(parent(started.headers()))
                    .setAttribute(METHOD, started.method())
                    .setAttribute(ROUTE, started.route())
                    .setAttribute(LISTENER, started.service())
                    .setAttribute(CORRELATION, started.correlationId())
                    .startSpan()))
        .orElseGet(Untold::new);
  }

  private static Context parent(Map<String, String> headers) {
    return W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, new Headers());
  }

  /** Headers by name in lower case. */
  private static final class Headers implements TextMapGetter<Map<String, String>> {
    @Override
    public Iterable<String> keys(Map<String, String> headers) {
      return headers.keySet();
    }

    @Override
    public @Nullable String get(@Nullable Map<String, String> headers, String key) {
      return headers == null ? null : headers.get(key);
    }
  }

  /** Sends what is left, if that is soon done. */
  @Override
  public void close() {
    provider.ifPresent(
        known -> known.shutdown().join(LAST_EXPORT_LIMIT.toMillis(), TimeUnit.MILLISECONDS));
  }
}
