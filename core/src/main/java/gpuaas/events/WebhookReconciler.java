package gpuaas.events;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.db.Tx;
import gpuaas.events.OutboundHttp.Outcome;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.WebhookDeliveryStore.Claimed;
import gpuaas.events.WebhookDeliveryStore.Slots;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what is due: claims a delivery, makes one attempt outside of any transaction, and writes
 * what came of it. A claim of somebody who died runs out. Endpoints that fail are tried one
 * delivery at a time and share half of the threads, so that they delay nobody else.
 */
public final class WebhookReconciler implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(WebhookReconciler.class);
  private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(2);

  private final Database database;
  private final SecretBox secrets;
  private final InstantSource clock;
  private final WebhookRules rules;
  private final OutboundHttp outbound;
  private final Map<String, WebhookVoice> voices;
  private final Semaphore wakes = new Semaphore(0);
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicInteger busyFailing = new AtomicInteger();
  // Platform threads: looking a name up blocks in native code, which would hold a virtual thread's
  // carrier.
  private final ExecutorService senders =
      Executors.newThreadPerTaskExecutor(
          Thread.ofPlatform().daemon().name("webhook-", 0).factory());
  private final Thread loop = Thread.ofPlatform().daemon().name("webhooks").unstarted(this::run);
  private volatile boolean closed;

  WebhookReconciler(
      Database database,
      SecretBox secrets,
      InstantSource clock,
      WebhookRules rules,
      OutboundHttp outbound,
      Map<String, WebhookVoice> voices) {
    this.database = database;
    this.secrets = secrets;
    this.clock = clock;
    this.rules = rules;
    this.outbound = outbound;
    this.voices = voices;
  }

  /** Begins to send. */
  public void start() {
    loop.start();
  }

  /** Looks now. */
  public void wake() {
    wakes.release();
  }

  /** Begins no more; what is under way and does not end soon is sent again later. */
  @Override
  public void close() {
    closed = true;
    wake();
    try {
      if (loop.isAlive()) {
        loop.join(SHUTDOWN_LIMIT); // before the senders, so that nothing more is claimed
      }
      senders.shutdown();
      if (!senders.awaitTermination(SHUTDOWN_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        senders.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    while (!closed) {
      try {
        claimAndSend(false, rules.parallel() - busy.get());
        int forFailing = Math.max(1, rules.parallel() / 2) - busyFailing.get();
        claimAndSend(true, Math.min(forFailing, rules.parallel() - busy.get()));
      } catch (DatabaseGone e) {
        log.warn("webhooks wait for the database: {}", e.getMessage());
      } catch (RuntimeException e) {
        if (!closed) {
          log.error("looking for deliveries failed", e);
        }
      }
      try {
        var _ = wakes.tryAcquire(rules.pollEvery().toMillis(), TimeUnit.MILLISECONDS);
        wakes.drainPermits();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void claimAndSend(boolean failing, int most) {
    if (most <= 0 || closed) {
      return;
    }
    Instant now = clock.instant();
    // As the database keeps it, so that a claim is known by its end.
    Instant until = now.plus(claimLength()).truncatedTo(ChronoUnit.MICROS);
    Slots slots =
        new Slots(
            failing, failing ? 1 : rules.parallelPerEndpoint(), most, rules.inOrderAttempts());
    for (Claimed claimed : database.tx(tx -> WebhookDeliveryStore.claim(tx, slots, now, until))) {
      busy.incrementAndGet();
      busyFailing.addAndGet(failing ? 1 : 0);
      senders.execute(() -> send(claimed, failing));
    }
  }

  /** Longer than an attempt, for a look-up that no limit can end. */
  private Duration claimLength() {
    return rules.attemptLimit().multipliedBy(2).plusSeconds(1);
  }

  private void send(Claimed claimed, boolean failing) {
    try {
      Outcome outcome = attempt(claimed);
      database.run(tx -> write(tx, claimed, outcome));
    } catch (DatabaseGone e) {
      log.warn("what came of delivery {} is not written: {}", claimed.id(), e.getMessage());
    } catch (RuntimeException e) {
      if (!closed) {
        log.error("delivery {} failed here", claimed.id(), e);
      }
    } finally {
      busy.decrementAndGet();
      busyFailing.addAndGet(failing ? -1 : 0);
      wake();
    }
  }

  private Outcome attempt(Claimed claimed) {
    Instant now = clock.instant();
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
    return outbound.post(claimed.url(), headers, claimed.body());
  }

  private void write(Tx tx, Claimed claimed, Outcome outcome) {
    Instant now = clock.instant();
    switch (outcome) {
      case Outcome.Answered(int status) when status >= 200 && status < 300 -> {
        if (WebhookDeliveryStore.delivered(tx, claimed.id(), status, now)
            && WebhookStore.succeeded(tx, claimed.webhook())) {
          AuditStore.appendOwn(tx, claimed.project(), Act.WEBHOOK_ENABLE, claimed.webhook(), now);
        }
      }
      case Outcome.Answered(int status) -> {
        Optional<String> problem = Optional.of(status / 100 == 3 ? "redirect" : "status");
        failed(tx, claimed, Optional.of(status), problem, now);
      }
      case Outcome.Failed(OutboundHttp.Problem why) ->
          failed(tx, claimed, Optional.empty(), Optional.of(why.text()), now);
    }
  }

  private void failed(
      Tx tx, Claimed claimed, Optional<Integer> status, Optional<String> problem, Instant now) {
    int attempts = claimed.attempts() + 1;
    boolean probe = claimed.kind() == Delivery.Kind.PROBE;
    boolean last = probe || attempts >= rules.retryAfter().size();
    Optional<Instant> dueAgain =
        last
            ? Optional.empty()
            : Optional.of(now.plus(rules.pause(attempts, claimed.id().getLeastSignificantBits())));
    if (!WebhookDeliveryStore.failed(tx, claimed, status, problem, dueAgain, now) || probe) {
      return;
    }
    if (attempts < rules.inOrderAttempts()) {
      dueAgain.ifPresent(until -> WebhookDeliveryStore.holdBack(tx, claimed.id(), until));
    }
    if (WebhookStore.failed(tx, claimed.webhook(), last, rules.disableAfter(), now)) {
      log.warn("webhook {} is disabled: too much was given up in a row", claimed.webhook());
      AuditStore.appendOwn(tx, claimed.project(), Act.WEBHOOK_DISABLE, claimed.webhook(), now);
    }
  }
}
