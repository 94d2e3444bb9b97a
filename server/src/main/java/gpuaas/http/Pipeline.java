package gpuaas.http;

import gpuaas.audit.Audit;
import gpuaas.base.Action.Where;
import gpuaas.base.Caller;
import gpuaas.base.Origin;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.db.DatabaseSlow;
import gpuaas.db.Tx;
import gpuaas.observe.PlatformMetrics;
import gpuaas.observe.Tracing;
import gpuaas.operation.Idempotency;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a request: correlation id, authentication, idempotency, handler, and whatever goes
 * wrong into the dialect's words. One log line and one measurement for each.
 */
public final class Pipeline {

  private static final Logger log = LoggerFactory.getLogger(Pipeline.class);
  private static final Pattern CORRELATION_ID = Pattern.compile("[A-Za-z0-9._:@/+=-]{1,128}");
  private static final Duration COME_AGAIN = Duration.ofSeconds(5);

  /** Whoever shares a transaction is waited for by the others: long bodies are read alone. */
  private static final int TOGETHER_LENGTH_MOST = 16_384;

  private static final int TOO_OFTEN = 429;
  private static final Set<Integer> NOT_ALLOWED = Set.of(401, 403, TOO_OFTEN);
  private static final Set<String> QUIET = Set.of("/healthz", "/readyz", "/metrics");

  private final Database database;
  private final Idempotency idempotency;
  private final PlatformMetrics metrics;
  private final Tracing tracing;
  private final Supplier<UUID> ids;
  private final FailedTries failedTries;
  private final Consumer<Audit.Refusal> refusals;

  /**
   * @param refusals told of everybody who may not, or comes too often
   */
  public Pipeline(
      Database database,
      Idempotency idempotency,
      PlatformMetrics metrics,
      Tracing tracing,
      Supplier<UUID> ids,
      FailedTries failedTries,
      Consumer<Audit.Refusal> refusals) {
    this.refusals = refusals;
    this.database = database;
    this.idempotency = idempotency;
    this.metrics = metrics;
    this.tracing = tracing;
    this.ids = ids;
    this.failedTries = failedTries;
  }

  /** The id to go by: the caller's, if it is fit for logs, or a new one. */
  public String correlationId(Dialect dialect, Optional<String> given) {
    return given
        .filter(id -> CORRELATION_ID.matcher(id).matches())
        .orElseGet(() -> dialect.correlationId(ids.get()));
  }

  /** Answers a request for a route. Never throws. */
  public Reply answer(Dialect dialect, Route route, Request request) {
    long start = System.nanoTime();
    Tracing.Ongoing trace =
        tracing.begin(
            new Tracing.Started(
                dialect.name(),
                request.method(),
                route.path(),
                request.headers(),
                request.correlationId()));
    RequestLog requestLog =
        new RequestLog(dialect, request, trace.ids(), QUIET.contains(request.path()));
    Reply reply;
    Visitor visitor = new Visitor(requestLog);
    try (requestLog) {
      reply = answer(dialect, route, request, visitor);
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      metrics.answered(dialect.name(), route.method(), route.path(), reply.status(), took);
      dialect.answered(route, reply.status(), took);
      requestLog.answered(reply, took);
      trace.end(reply.status());
    }
    return visitor
        .told(reply)
        .with(dialect.correlationHeaders().getFirst(), request.correlationId());
  }

  private Reply answer(Dialect dialect, Route route, Request request, Visitor visitor) {
    Reply reply;
    boolean hidden = false;
    try {
      reply = handled(dialect, route, request, visitor);
    } catch (Refused e) {
      hidden = e.refusal() instanceof Refusal.NotFound gone && gone.kind() == Refusal.Kind.PROJECT;
      log.debug("refused: {}", e.refusal());
      if (e.refusal() instanceof Refusal.Denied no && no.action().where() == Where.PLATFORM) {
        metrics.adminDenied();
      }
      reply = dialect.refused(e.refusal(), request.correlationId());
    } catch (Halt e) {
      reply = e.reply();
    } catch (DatabaseSlow e) {
      log.warn("{} {} took too long", request.method(), route.path(), e);
      reply =
          dialect.refused(
              new Refusal.NotReady("the database in time", COME_AGAIN), request.correlationId());
    } catch (DatabaseGone e) {
      log.warn("the database is away: {}", e.getMessage());
      reply =
          dialect.refused(
              new Refusal.NotReady("the database", COME_AGAIN), request.correlationId());
    } catch (RuntimeException | StackOverflowError e) {
      log.error("{} {} failed", request.method(), route.path(), e);
      reply = dialect.crashed(request.correlationId());
    }
    if (hidden || NOT_ALLOWED.contains(reply.status())) {
      tell(dialect, route, request, visitor, reply.status());
    }
    return reply;
  }

  /** Who asks, once that is known, and what every answer to them says. */
  private static final class Visitor {
    private final RequestLog log;
    private Optional<Caller> caller = Optional.empty();
    private Map<String, String> headers = Map.of();

    Visitor(RequestLog log) {
      this.log = log;
    }

    void is(Caller known, Route route) {
      caller = Optional.of(known);
      log.knows(known, route);
    }

    /** What the answer says by itself stays. */
    Reply told(Reply reply) {
      Reply told = reply;
      for (Map.Entry<String, String> header : headers.entrySet()) {
        if (!reply.headers().containsKey(header.getKey())) {
          told = told.with(header.getKey(), header.getValue());
        }
      }
      return told;
    }
  }

  private static Origin origin(Request request) {
    return new Origin(request.remoteAddress(), request.header("user-agent").orElse(""));
  }

  /** For the trail. Who is nobody does not fill it by asking for ever other things. */
  private void tell(Dialect dialect, Route route, Request request, Visitor visitor, int status) {
    try {
      refusals.accept(
          new Audit.Refusal(
              visitor.caller,
              origin(request),
              status == TOO_OFTEN,
              dialect.name(),
              request.method(),
              visitor.caller.isPresent() ? request.path() : route.path(),
              status,
              request.correlationId()));
    } catch (RuntimeException e) {
      log.warn("a refusal is not in the audit trail: {}", e.getMessage());
    }
  }

  private Reply handled(Dialect dialect, Route route, Request request, Visitor visitor) {
    Optional<String> given = Dialect.firstOf(request, dialect.correlationHeaders());
    if (dialect.refusesOddCorrelationId()
        && given.isPresent()
        && !given.get().equals(request.correlationId())) {
      throw new Refused(
          new Refusal.Unreadable(
              dialect.correlationHeaders().getFirst()
                  + " must have 1 to 128 letters, digits or any of . _ : @ / + = -"));
    }
    return switch (route.access()) {
      case PUBLIC -> run(dialect, route, request, visitor);
      case CALLER -> {
        Caller caller =
            failedTries
                .check(request.remoteAddress(), () -> dialect.authenticate(request))
                .from(origin(request));
        visitor.is(caller, route);
        yield run(dialect, route, request.by(caller), visitor);
      }
    };
  }

  private Reply run(Dialect dialect, Route route, Request request, Visitor visitor) {
    visitor.headers = dialect.admit(route, request);
    route.needs().ifPresent(action -> request.caller().require(action));
    return switch (route.handler()) {
      case Route.Handler.Plain plain -> plain.work().apply(request);
      case Route.Handler.Change change -> database.tx(tx -> change.work().apply(request, tx));
      case Route.Handler.Once once -> alone(dialect, once.work(), request);
      case Route.Handler.OnceTogether once ->
          request.body().length() > TOGETHER_LENGTH_MOST
              ? alone(dialect, once.work(), request)
              : together(dialect, once.work(), request);
    };
  }

  private Reply alone(Dialect dialect, BiFunction<Request, Tx, Reply> change, Request request) {
    Function<Tx, Reply> work = tx -> change.apply(request, tx);
    return Dialect.firstOf(request, dialect.idempotencyHeaders())
        .map(key -> replayable(dialect, idempotency::once, work, request, key))
        .orElseGet(() -> database.tx(work));
  }

  private Reply together(Dialect dialect, BiFunction<Request, Tx, Reply> change, Request request) {
    Function<Tx, Reply> work = tx -> change.apply(request, tx);
    return Dialect.firstOf(request, dialect.idempotencyHeaders())
        .map(key -> replayable(dialect, idempotency::onceTogether, work, request, key))
        .orElseGet(() -> database.together(work, () -> database.tx(work)));
  }

  /** One of the ways to do something once. */
  private interface Once {
    Idempotency.Outcome once(
        String scope, String key, String request, Function<Tx, Idempotency.Answer> effect);
  }

  private Reply replayable(
      Dialect dialect, Once way, Function<Tx, Reply> work, Request request, String key) {
    OnceRules rules = dialect.onceRules();
    if (!rules.form().matcher(key).matches()) {
      throw new Refused(
          Refusal.Invalid.field(
              dialect.idempotencyHeaders().getFirst(), "must match " + rules.form()));
    }
    String scope = rules.scope(request);
    String fingerprint = rules.fingerprint(request);
    try {
      Idempotency.Outcome outcome = way.once(scope, key, fingerprint, tx -> answer(work.apply(tx)));
      Reply reply = reply(outcome.answer());
      return outcome.replayed() ? reply.with("Idempotent-Replayed", "true") : reply;
    } catch (Refused no) {
      if (rules.remembers(no.refusal())) {
        Reply reply = dialect.refused(no.refusal(), request.correlationId());
        idempotency.remember(scope, key, fingerprint, answer(reply));
      }
      throw no;
    }
  }

  private static Idempotency.Answer answer(Reply reply) {
    return new Idempotency.Answer(
        reply.status(), reply.headers(), reply.contentType(), reply.body());
  }

  private static Reply reply(Idempotency.Answer answer) {
    return new Reply(answer.status(), answer.headers(), answer.contentType(), answer.body());
  }
}
