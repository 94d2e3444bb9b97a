package gpuaas.events;

import gpuaas.base.SecretBox;
import gpuaas.events.OutboundHttp.Outcome;
import gpuaas.events.WebhookDeliveryStore.Claimed;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deliveries that are in hand: sends them, to each endpoint only so many at once, and keeps
 * what came of each until somebody writes it down. Knows no database.
 */
final class WebhookSenders {

  private static final Logger log = LoggerFactory.getLogger(WebhookSenders.class);

  private final SecretBox secrets;
  private final InstantSource clock;
  private final WebhookRules rules;
  private final OutboundHttp outbound;
  private final Map<String, WebhookVoice> voices;
  private final Runnable wake;
  private final Map<UUID, Endpoint> endpoints = new HashMap<>();
  private final ConcurrentLinkedQueue<Result> results = new ConcurrentLinkedQueue<>();
  private int workers;
  private boolean closed;
  // Platform threads: looking a name up blocks in native code, which would hold a virtual thread's
  // carrier.
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("webhook-", 0).factory());

  /** What came of a delivery in hand. */
  sealed interface Result {
    /** The other side took it. */
    record Delivered(Claimed claimed, int status, Instant at) implements Result {}

    /** It did not arrive. */
    record Failed(Claimed claimed, Optional<Integer> status, String problem, Instant at)
        implements Result {}

    /** Nothing was sent: somebody else may have it at once. */
    record GivenBack(Claimed claimed) implements Result {}
  }

  /** What waits for an endpoint, and how many are at it. */
  private static final class Endpoint {
    final Deque<Claimed> waiting = new ArrayDeque<>();
    boolean failing;
    int workers;
  }

  /**
   * @param wake called when something came of a delivery
   */
  WebhookSenders(
      SecretBox secrets,
      InstantSource clock,
      WebhookRules rules,
      OutboundHttp outbound,
      Map<String, WebhookVoice> voices,
      Runnable wake) {
    this.secrets = secrets;
    this.clock = clock;
    this.rules = rules;
    this.outbound = outbound;
    this.voices = voices;
    this.wake = wake;
  }

  /** Takes these in hand. */
  synchronized void send(List<Claimed> claimed, boolean failing) {
    for (Claimed each : claimed) {
      Endpoint endpoint = endpoints.computeIfAbsent(each.webhook(), _ -> new Endpoint());
      endpoint.failing = failing;
      endpoint.waiting.add(each);
      if (workers < rules.parallel() && mayJoin(endpoint)) {
        endpoint.workers++;
        workers++;
        threads.execute(() -> work(each.webhook()));
      }
    }
  }

  /** How many more can be at work at once. */
  synchronized int free() {
    return closed ? 0 : rules.parallel() - workers;
  }

  /** How many are at endpoints that fail. */
  synchronized int busyFailing() {
    return endpoints.values().stream()
        .filter(endpoint -> endpoint.failing)
        .mapToInt(endpoint -> endpoint.workers)
        .sum();
  }

  /** What came of deliveries since the last time this was asked. */
  List<Result> results() {
    List<Result> all = new ArrayList<>();
    for (Result next = results.poll(); next != null; next = results.poll()) {
      all.add(next);
    }
    return all;
  }

  /** Sends no more, gives back what waits, and waits for what is under way for a while. */
  void close(Duration limit) throws InterruptedException {
    synchronized (this) {
      closed = true;
      endpoints.values().forEach(this::giveBack);
    }
    threads.shutdown();
    if (!threads.awaitTermination(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      threads.shutdownNow();
    }
  }

  private boolean mayJoin(Endpoint endpoint) {
    return endpoint.workers < (endpoint.failing ? 1 : rules.parallelPerEndpoint());
  }

  private void work(UUID first) {
    UUID at = first;
    for (Claimed next = next(at); next != null; next = next(at)) {
      at = next.webhook();
      Result result = attempt(next);
      results.add(result);
      if (!(result instanceof Result.Delivered)) {
        giveBackAll(at);
      }
      wake.run();
    }
  }

  /** The next of this endpoint, or of one that nobody is at; null: there is nothing to do. */
  private synchronized @Nullable Claimed next(UUID at) {
    Endpoint own = endpoints.get(at);
    if (own != null && !own.waiting.isEmpty()) {
      return own.waiting.poll();
    }
    if (own != null && --own.workers == 0) {
      endpoints.remove(at);
    }
    for (Endpoint other : endpoints.values()) {
      if (!other.waiting.isEmpty() && mayJoin(other)) {
        other.workers++;
        return other.waiting.poll();
      }
    }
    workers--;
    return null;
  }

  /** Whoever fails gets one at a time; the rest waits in the database. */
  private synchronized void giveBackAll(UUID webhook) {
    Optional.ofNullable(endpoints.get(webhook)).ifPresent(this::giveBack);
  }

  private void giveBack(Endpoint endpoint) {
    endpoint.waiting.forEach(claimed -> results.add(new Result.GivenBack(claimed)));
    endpoint.waiting.clear();
  }

  private Result attempt(Claimed claimed) {
    Instant now = clock.instant();
    if (now.plus(rules.attemptLimit()).isAfter(claimed.until())) {
      return new Result.GivenBack(claimed); // it waited so long that the claim would run out
    }
    try {
      Outcome outcome = post(claimed, now);
      return result(claimed, outcome, clock.instant());
    } catch (RuntimeException e) {
      log.error("delivery {} failed here", claimed.id(), e);
      return new Result.Failed(claimed, Optional.empty(), "internal", clock.instant());
    }
  }

  private Outcome post(Claimed claimed, Instant now) {
    List<String> keys = new ArrayList<>();
    keys.add(secrets.unseal(claimed.secret(), Webhooks.purpose(claimed.webhook())));
    if (claimed.oldSecretUntil().filter(now::isBefore).isPresent()) {
      claimed
          .oldSecret()
          .ifPresent(old -> keys.add(secrets.unseal(old, Webhooks.purpose(claimed.webhook()))));
    }
    WebhookVoice voice = voices.get(claimed.voice());
    String prefix = voice == null ? "Gpuaas" : voice.headerPrefix();
    Map<String, String> headers =
        Map.of(
            prefix + "-Signature", WebhookSignature.of(keys, now, claimed.body()),
            prefix + "-Event-Id", claimed.eventId());
    return outbound.post(claimed.webhook(), claimed.url(), headers, claimed.body());
  }

  private static Result result(Claimed claimed, Outcome outcome, Instant at) {
    return switch (outcome) {
      case Outcome.Answered(int status) when status >= 200 && status < 300 ->
          new Result.Delivered(claimed, status, at);
      case Outcome.Answered(int status) ->
          new Result.Failed(
              claimed, Optional.of(status), status / 100 == 3 ? "redirect" : "status", at);
      case Outcome.Failed(OutboundHttp.Problem why) ->
          new Result.Failed(claimed, Optional.empty(), why.text(), at);
    };
  }
}
