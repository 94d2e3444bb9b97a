package gpuaas.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.component.LifeCycle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listener: an address, a port, and the dialects that are mounted there, told apart by their
 * paths. Only this class, with {@link Sockets} and {@link SlowClients}, knows the server library.
 */
public final class HttpServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(HttpServer.class);
  private static final int HEADERS_BYTES_MOST = 32 * 1024;
  private static final int FRAME_BYTES_MOST = 1024 * 1024;

  private final Javalin javalin;
  private final Streams streams = new Streams();
  private final SlowClients slowClients;

  /** What a listener needs. The first dialect also answers for what belongs to none. */
  public record Listener(String address, int port, List<Dialect> dialects, Limits limits) {}

  /**
   * What a request may take.
   *
   * @param receive how long its head may take to come, and then its body
   */
  public record Limits(int bodyBytesMost, Duration receive) {}

  /** Starts to listen; port 0 takes any. */
  public HttpServer(Listener listener, Pipeline pipeline) {
    this.slowClients = new SlowClients(listener.limits().receive());
    this.javalin =
        Javalin.create(config -> {
          configure(config, listener, pipeline, streams);
          guard(config, slowClients);
        });
    slowClients.start();
    javalin.start(listener.address(), listener.port());
  }

  /** The port it listens on. */
  public int port() {
    return javalin.port();
  }

  /** Ends what streams, lets running requests finish, and stops. */
  @Override
  public void close() {
    streams.close();
    slowClients.close();
    javalin.stop();
  }

  private static void configure(
      JavalinConfig config, Listener listener, Pipeline pipeline, Streams streams) {
    Dialect first = listener.dialects().getFirst();
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.concurrency.useVirtualThreads = true;
    config.http.prefer405over404 = true;
    config.http.generateEtags = false;
    config.jetty.modifyHttpConfiguration(http -> {
      http.setRequestHeaderSize(HEADERS_BYTES_MOST);
      http.setSendServerVersion(false);
      http.setSendDateHeader(true);
      // Otherwise a header is taken for one that came before on this connection and differs in case
      // only: one key for another.
      http.setHeaderCacheCaseSensitive(true);
      // Ids may hold a slash, as %2F: they reach the router, which knows none of them, as others
      // do.
      http.setUriCompliance(
          UriCompliance.DEFAULT.with(
              "ours",
              UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
              UriCompliance.Violation.AMBIGUOUS_EMPTY_SEGMENT));
    });
    config.jetty.modifyServletContextHandler(
        context -> context.getServletHandler().setDecodeAmbiguousURIs(true));
    config.jetty.modifyServer(server -> prepare(server, first, pipeline));
    config.jetty.modifyWebSocketServletFactory(factory -> {
      factory.setMaxTextMessageSize(FRAME_BYTES_MOST);
      factory.setMaxBinaryMessageSize(FRAME_BYTES_MOST);
      factory.setIdleTimeout(Duration.ZERO);
    });
    for (Dialect dialect : listener.dialects()) {
      for (Route route : dialect.routes()) {
        Handler handler =
            context -> handle(context, dialect, route, pipeline, streams, listener.limits());
        config.routes.addHttpHandler(
            HandlerType.findOrCreate(route.method()), route.path(), handler);
        if (route.method().equals("GET")) {
          // The library would answer 200 to every HEAD; it must say what GET says, without the
          // body.
          config.routes.addHttpHandler(
              HandlerType.HEAD,
              route.path(),
              dialect.answersHead() ? handler : context -> noHead(context, dialect, pipeline));
        }
      }
      for (SocketRoute socket : dialect.sockets()) {
        config.routes.ws(socket.path(), ws -> Sockets.mount(ws, socket));
      }
    }
    config.routes.exception(
        HttpResponseException.class,
        (e, context) -> misdirected(context, dialectOf(context, listener), e, pipeline));
    config.routes.exception(
        Exception.class,
        (e, context) -> crashed(context, dialectOf(context, listener), e, pipeline));
  }

  private static void guard(JavalinConfig config, SlowClients slowClients) {
    config.jetty.modifyHttpConfiguration(http -> http.addCustomizer(slowClients));
    config.jetty.modifyServer(server ->
        server.addEventListener(
            new LifeCycle.Listener() {
              @Override
              public void lifeCycleStarting(LifeCycle starting) {
                for (Connector connector : server.getConnectors()) {
                  connector.addBean(slowClients);
                }
              }
            }));
  }

  private static void prepare(Server server, Dialect first, Pipeline pipeline) {
    server.setStopTimeout(10_000);
    server.setErrorHandler(new Errors(first, pipeline));
  }

  // --- requests ---

  private static void handle(
      Context context,
      Dialect dialect,
      Route route,
      Pipeline pipeline,
      Streams streams,
      Limits limits) {
    String id = id(context, dialect, pipeline);
    if (dialect.redirectsSlashes() && context.path().length() > 1 && context.path().endsWith("/")) {
      redirect(context);
      return;
    }
    Optional<String> body;
    try {
      body = Bodies.read(context.req(), limits);
    } catch (Bodies.TooSlow e) {
      hangUp(context, dialect, 408, id);
      return;
    } catch (IOException | RuntimeException e) {
      log.debug("a body could not be read", e);
      hangUp(context, dialect, 400, id);
      return;
    }
    if (body.isEmpty()) {
      hangUp(context, dialect, 413, id);
      return;
    }
    Reply reply = pipeline.answer(dialect, route, request(context, body.get(), id));
    if (reply.stream().isPresent() && !context.method().equals(HandlerType.HEAD)) {
      streams.run(context, reply, reply.stream().get());
    } else {
      write(context, reply);
    }
  }

  private static void noHead(Context context, Dialect dialect, Pipeline pipeline) {
    String id = id(context, dialect, pipeline);
    write(context, dialect.misdirected(405, id).with("Allow", "GET"));
  }

  /** To the same path without the slash; by 307 the client says the same again there. */
  private static void redirect(Context context) {
    String query = context.queryString() == null ? "" : "?" + context.queryString();
    String path = context.req().getRequestURI().replaceFirst("/+$", "");
    String host = context.host() == null ? "localhost" : context.host();
    write(
        context, Reply.empty(307).with("Location", context.scheme() + "://" + host + path + query));
  }

  /** The answers that are being written piece by piece, each by the thread of its request. */
  private static final class Streams {
    private final Set<Thread> running = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    void run(Context context, Reply reply, Reply.Stream stream) {
      context.status(reply.status());
      reply.headers().forEach(context::header);
      context.contentType(reply.contentType());
      Thread thread = Thread.currentThread();
      running.add(thread);
      if (closed) {
        thread.interrupt();
      }
      try {
        stream.run(text -> send(context, text));
      } catch (IOException e) {
        log.debug("a stream ended: {}", e.getMessage());
      } catch (InterruptedException e) {
        log.debug("a stream ended with the server");
      } finally {
        running.remove(thread);
      }
    }

    /** Waits until there is room: whoever takes nothing for the idle time is cut off. */
    private static void send(Context context, String text) throws IOException {
      OutputStream out = context.res().getOutputStream();
      out.write(text.getBytes(UTF_8));
      out.flush();
    }

    void close() {
      closed = true;
      running.forEach(Thread::interrupt);
    }
  }

  /** Says no in the middle of a body: what follows on this connection cannot be made sense of. */
  private static void hangUp(Context context, Dialect dialect, int status, String id) {
    Reply no = dialect.misdirected(status, id).with("Connection", "close");
    write(context, no.with(dialect.correlationHeaders().getFirst(), id));
  }

  private static Request request(Context context, String body, String correlationId) {
    Map<String, String> headers = new HashMap<>();
    context.headerMap().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
    return new Request(
        context.method().name(),
        context.path(),
        context.pathParamMap(),
        headers,
        context.queryParamMap(),
        body,
        context.req().getRemoteAddr(),
        correlationId,
        Optional.empty());
  }

  private static void write(Context context, Reply reply) {
    context.status(reply.status());
    reply.headers().forEach(context::header);
    if (!reply.contentType().isEmpty()) {
      context.contentType(reply.contentType());
    }
    context.result(reply.body().getBytes(UTF_8));
  }

  private static String id(Context context, Dialect dialect, Pipeline pipeline) {
    return pipeline.correlationId(
        dialect,
        dialect.correlationHeaders().stream()
            .map(context::header)
            .filter(java.util.Objects::nonNull)
            .findFirst());
  }

  private static void misdirected(
      Context context, Dialect dialect, HttpResponseException e, Pipeline pipeline) {
    String id = id(context, dialect, pipeline);
    Reply reply =
        dialect.misdirected(e.getStatus(), id).with(dialect.correlationHeaders().getFirst(), id);
    String allowed = e.getDetails().getOrDefault("availableMethods", "");
    write(context, allowed.isEmpty() ? reply : reply.with("Allow", allowed));
  }

  private static void crashed(Context context, Dialect dialect, Exception e, Pipeline pipeline) {
    String id = id(context, dialect, pipeline);
    log.error("{} {} failed [{}]", context.method(), context.path(), id, e);
    write(context, dialect.crashed(id).with(dialect.correlationHeaders().getFirst(), id));
  }

  /** The dialect that has something under the same first part of the path, or else the first. */
  private static Dialect dialectOf(Context context, Listener listener) {
    String part = firstPart(context.path());
    return listener.dialects().stream()
        .filter(dialect ->
            dialect.routes().stream().anyMatch(route -> firstPart(route.path()).equals(part)))
        .findFirst()
        .orElse(listener.dialects().getFirst());
  }

  private static String firstPart(String path) {
    String[] parts = path.split("/", 3);
    return parts.length > 1 ? parts[1] : "";
  }

  /** What the library finds wrong before any route is looked for. */
  private static final class Errors extends ErrorHandler {
    private final Dialect dialect;
    private final Pipeline pipeline;

    Errors(Dialect dialect, Pipeline pipeline) {
      this.dialect = dialect;
      this.pipeline = pipeline;
    }

    @Override
    public boolean handle(
        org.eclipse.jetty.server.Request request, Response response, Callback callback) {
      Reply reply = reply(response.getStatus());
      reply.headers().forEach((name, value) -> response.getHeaders().put(name, value));
      response.getHeaders().put("Content-Type", reply.contentType());
      response.write(true, ByteBuffer.wrap(reply.body().getBytes(UTF_8)), callback);
      return true;
    }

    private Reply reply(int status) {
      String id = pipeline.correlationId(dialect, Optional.empty());
      Reply reply = status >= 500 ? dialect.crashed(id) : dialect.misdirected(status, id);
      return reply.with(dialect.correlationHeaders().getFirst(), id);
    }
  }
}
